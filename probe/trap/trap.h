// One io_uring write with the trap set: the heart of the instrument.
//
// On affected kernels the bug needs an inline (non-blocking) attempt that copies some pages and then fails. Five things
// make nearly every write such an attempt (docs/how-it-works.md), in this order:
//   gate      the only worker is kept busy, so that the retry waits (probe/trap/gate.h).
//   pacing    this task's account of dirtied pages is settled, so that dirty throttling does not punt the write
//             (probe/trap/arming.h).
//   headroom  the cgroup's limit a little above its usage, so that a page in the middle of the write cannot be charged
//             without blocking (probe/trap/pressure.h).
//   arming    timestamps are current, so that they do not punt the write before it copied a byte (probe/trap/arming.h).
//   relief    the limit is raised again, and only then the gate opens for the retry.
//
// Serves one thread and one request at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/run/finding.h"
#include "probe/trap/arming.h"
#include "probe/trap/gate.h"
#include "probe/trap/limit_lock.h"
#include "probe/trap/one_node.h"
#include "probe/trap/pressure.h"
#include "probe/trap/retries.h"
#include "probe/trap/ring.h"

namespace writecanary::probe {

// What the trap is made of; each part can be left out, to see what it contributes.
struct TrapParts {
  bool arming = true;
  bool pacing = true;
  bool relief = true;  // false: the limit stays low until the write has its result
  bool gate = true;
};

struct TrapOptions {
  bool force_async = false;          // IOSQE_ASYNC: never tried inline
  std::uint64_t headroom_bytes = 0;  // 0: leave the limit alone
  std::string directory;             // of the run, for the helpers' files
  std::uint32_t writer = 0;          // makes the names of those files unique among the writers of a run
  RingSetup setup = RingSetup::kPlain;
  TrapParts parts = {};
  LimitLock* limit_lock = nullptr;  // held while the limit is low, when other processes share the cgroup
  Retries* retries = nullptr;  // of all writers of the file, when there are others: whose growth it was is known then
};

class Trap {
 public:
  // Null and the reason in `refused` when the kernel refuses io_uring. The pressure must outlive the trap. Where
  // workers are per NUMA node the calling thread stays on one until the trap is gone.
  static std::unique_ptr<Trap> open(Pressure& pressure, const TrapOptions& options, Unsupported& refused);

  // Occupies the worker. Call before filling the buffer: the worker needs a moment to get there.
  void prepare();
  // Writes `bytes` to `fd` at `offset` (-1: the file's end, with O_APPEND) and waits for the result. `between` runs
  // when the write was punted, after the limit was relieved and before the worker may go on. Returns route, result
  // and the growth that the inline attempt left: meaningful when the file has no other writer, or when all count their
  // retries; 0 when it could have been another's. Throws SystemError
  // for what is not the result of the write.
  WriteRef write(int fd, std::span<const std::byte> bytes, std::int64_t offset,
                 const std::function<void()>& between = {});
  // The same with a request of the caller's making: `fill` prepares all of it but its user_data.
  WriteRef write(int fd, std::uint64_t length_bytes, const std::function<void(io_uring_sqe&)>& fill,
                 const std::function<void()>& between = {});
  // For requests without a trap, while no write is under way.
  Ring& ring() { return *ring_; }

 private:
  Trap(Pressure& pressure, TrapOptions options) : pressure_(pressure), options_(std::move(options)) {}
  // Sets the trap, submits and takes it down again. Returns the completion if the write completed inline.
  std::optional<Completion> spring(int fd, WriteRef& write);
  void begin_retry();
  void settle_thread();
  std::string helper_file(const std::string& name) const;
  void add_gate(Workers workers);
  // Opens the gates. Returns the write's completion if it came meanwhile.
  std::optional<Completion> open_gates();

  Pressure& pressure_;
  TrapOptions options_;
  std::optional<OneNode> node_;  // where workers are per node
  std::unique_ptr<Ring> ring_;
  std::vector<std::unique_ptr<Gate>> gates_;  // empty: ungated
  std::unique_ptr<Pacer> pacer_;              // null: unpaced
};

}  // namespace writecanary::probe
