// Requests as a case says (probe/profiles/ring_io/ring_case.h), on the ring of its set-up: with the trap set, or
// without.
//
// One trap for each set-up that this kernel allows, with a registered buffer and a table of registered files. Knows
// nothing of what must come of a request. Used by one thread.
#pragma once

#include <sys/uio.h>

#include <array>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/base/aligned.h"
#include "probe/profiles/ring_io/ring_case.h"
#include "probe/run/run_context.h"
#include "probe/trap/trap.h"

namespace writecanary::probe {

// What a request works on.
struct RingTarget {
  int fd = -1;
  unsigned registered = 0;  // the same file's number among the registered ones
};

class RingRequests {
 public:
  // `bytes`: of the longest request. Null and the reason in `refused` when the kernel refuses io_uring altogether.
  static std::unique_ptr<RingRequests> open(RunContext& context, std::uint64_t bytes, Unsupported& refused);

  // The set-ups that can be had, the plain one first.
  const std::vector<RingSetup>& setups() const { return setups_; }
  // What this kernel refused, in its words.
  std::set<std::string>& refused() { return refused_; }

  // Registers these with every ring in place of what was registered before.
  void register_files(std::span<const int> descriptors);
  // No ring holds them any more.
  void forget_files();
  // Memory for a request of this length, of the kind that the case asks for. Fixed memory begins behind the first page,
  // and all of it lies at a multiple of `alignment` that is none of a page. Good until the next call.
  std::span<std::byte> memory(const RingCase& one, std::uint64_t bytes, std::uint64_t alignment);

  // Fills a request as the case says; -1 as offset where its place is not an explicit one. `bytes` must lie in
  // memory(). `vector` must live until it is submitted.
  void prepare(io_uring_sqe& sqe, const RingCase& one, bool writes, const RingTarget& target,
               std::span<std::byte> bytes, std::int64_t offset, std::vector<iovec>& vector, std::uint64_t alignment);

  // One write, with the trap set unless it goes to a worker at once. `between` runs while it waits for its retry.
  WriteRef write(const RingCase& one, const RingTarget& target, std::span<std::byte> bytes, std::int64_t offset,
                 std::uint64_t alignment, const std::function<void()>& between = {});
  Ring& ring(RingSetup setup) { return trap(setup).ring(); }

 private:
  explicit RingRequests(std::uint64_t bytes);
  Trap& trap(RingSetup setup) { return *traps_.at(static_cast<std::size_t>(setup)); }

  std::vector<RingSetup> setups_;
  std::set<std::string> refused_;
  std::uint64_t page_bytes_;
  AlignedBuffer<std::byte> plain_, fixed_;
  std::array<std::unique_ptr<Trap>, 3> traps_;  // by set-up; null: refused
  bool has_fixed_ = true, has_files_ = true;
};

}  // namespace writecanary::probe
