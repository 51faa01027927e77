// One io_uring, thinly: set it up, submit, look at completions without waiting, wait.
//
// Errors of single requests are results, not exceptions. Refusal of io_uring itself (no kernel support,
// kernel.io_uring_disabled, a seccomp filter) is a value with the cause named. Used by one thread.
#pragma once

#include <liburing.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace writecanary::probe {

// Why a workload cannot run here at all: kernel, filesystem or privileges refuse a call it needs.
struct Unsupported {
  std::string reason;
  bool no_ring = false;  // io_uring is refused altogether
};

struct Completion {
  std::uint64_t user_data = 0;
  std::int32_t result = 0;
};

// Who works on a ring's requests and completions.
enum class RingSetup : std::uint8_t {
  kPlain,         // the submitting call tries them; completions come whenever they come
  kDeferTaskrun,  // completions are worked on only when they are waited for (IORING_SETUP_DEFER_TASKRUN, 6.1)
  kThread,        // a thread of the kernel tries them (IORING_SETUP_SQPOLL)
};
// "IORING_SETUP_SQPOLL"; empty for a plain one.
std::string to_string(RingSetup setup);

class Ring {
 public:
  // Null and a reason in `refused` when the kernel refuses io_uring, or this set-up; throws SystemError for anything
  // else, such as no memory or descriptors.
  static std::unique_ptr<Ring> open(unsigned entries, Unsupported& refused, RingSetup setup = RingSetup::kPlain);
  // For whoever can do without: null and a reason for anything at all.
  static std::unique_ptr<Ring> open_if_possible(unsigned entries, Unsupported& refused);
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // A cleared request to fill; never null: rings are sized for what their owner has in flight.
  io_uring_sqe* next_sqe();
  // Hands all filled requests to the kernel, which has tried each inline when this returns, whoever does it: a thread
  // gives the places of requests back when it has submitted them (io_commit_sqring() in io_uring/io_uring.c). Throws
  // SystemError.
  void submit();
  // A completion that is already there.
  std::optional<Completion> peek();
  // Waits for one; signals do not end the wait. Throws SystemError.
  Completion wait();
  // io-wq may then use at most these many workers for this thread (5.15). False when the kernel does not know the call.
  bool limit_workers(unsigned bounded, unsigned unbounded);
  // Memory for requests with a fixed buffer; its number is 0. Once in a ring's life. Returns 0 or the errno.
  int register_buffer(std::span<std::byte> buffer);
  // Files for requests with a fixed file, numbered from 0; each call replaces them. Returns 0 or the errno.
  int register_files(std::span<const int> descriptors);
  // Lets go of them: closed is only what no table holds, and a ring's end comes later than that of its process.
  void forget_files();

 private:
  Ring() = default;
  io_uring ring_{};
  bool has_files_ = false;
};

// What to say when a ring finds no locked memory, as kernels before 5.12 want it: how much it needs, and how little
// there may be.
std::string locked_memory_advice(std::uint64_t needed_bytes, std::uint64_t limit_bytes);

}  // namespace writecanary::probe
