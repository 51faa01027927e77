// One io_uring, thinly: set it up, submit, look at completions without waiting, wait.
//
// Errors of single requests are results, not exceptions. Refusal of io_uring itself (no kernel support,
// kernel.io_uring_disabled, a seccomp filter) is a value with the cause named. Used by one thread.
#pragma once

#include <liburing.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace writecanary::probe {

// Why a workload cannot run here at all: kernel, filesystem or privileges refuse a call it needs.
struct Unsupported {
  std::string reason;
};

struct Completion {
  std::uint64_t user_data = 0;
  std::int32_t result = 0;
};

class Ring {
 public:
  // Null and a reason in `refused` when the kernel refuses io_uring; throws SystemError for anything else, such as no
  // memory or descriptors.
  static std::unique_ptr<Ring> open(unsigned entries, Unsupported& refused);
  // For whoever can do without: null and a reason for anything at all.
  static std::unique_ptr<Ring> open_if_possible(unsigned entries, Unsupported& refused);
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // A cleared request to fill; never null: rings are sized for what their owner has in flight.
  io_uring_sqe* next_sqe();
  // Hands all filled requests to the kernel, which tries each inline now. Throws SystemError.
  void submit();
  // A completion that is already there.
  std::optional<Completion> peek();
  // Waits for one; signals do not end the wait. Throws SystemError.
  Completion wait();
  // io-wq may then use at most these many workers for this thread (5.15). False when the kernel does not know the call.
  bool limit_workers(unsigned bounded, unsigned unbounded);

 private:
  Ring() = default;
  io_uring ring_{};
};

// What to say when a ring finds no locked memory, as kernels before 5.12 want it: how much it needs, and how little
// there may be.
std::string locked_memory_advice(std::uint64_t needed_bytes, std::uint64_t limit_bytes);

}  // namespace writecanary::probe
