#include "probe/trap/trap.h"

#include <sys/stat.h>

#include <cerrno>
#include <mutex>

#include "core/base/error.h"
#include "core/host/host_facts.h"
#include "core/host/kernel_version.h"

namespace writecanary::probe {
namespace {

constexpr unsigned kRingEntries = 4;  // the write and the gates' requests
constexpr std::uint64_t kWriteUserData = 1;
// Leaves room for whatever a first pass through the code needs to fault in.
constexpr std::uint64_t kRehearsalHeadroom = 8ULL << 20;

std::uint64_t size_of(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0) throw_errno("fstat");
  return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace

std::unique_ptr<Trap> Trap::open(Pressure& pressure, const TrapOptions& options, Unsupported& refused) {
  std::unique_ptr<Trap> trap(new Trap(pressure, options));
  if (options.parts.gate && has_workers_per_node(identify_kernel(kernel_facts()).version)) trap->node_.emplace();
  trap->ring_ = Ring::open(kRingEntries, refused, options.setup);
  if (!trap->ring_) return nullptr;
  if (options.headroom_bytes != 0 && options.parts.pacing)
    trap->pacer_ = std::make_unique<Pacer>(trap->helper_file("pacer"));
  if (options.parts.gate) trap->add_gate(Workers::kBounded);
  // Which kind of worker makes a write with IOSQE_ASYNC differs between kernels.
  if (options.parts.gate && options.force_async) trap->add_gate(Workers::kUnbounded);
  // Makes the workers and touches every page that the narrow moment will need, while there is room for them.
  trap->prepare();
  trap->open_gates();
  pressure.tighten(kRehearsalHeadroom);
  pressure.relieve();
  return trap;
}

std::string Trap::helper_file(const std::string& name) const {
  return options_.directory + "/" + name + "-" + std::to_string(options_.writer);
}

void Trap::add_gate(Workers workers) {
  if (auto gate = Gate::make(*ring_, workers, helper_file("gate"))) gates_.push_back(std::move(gate));
}

void Trap::prepare() {
  for (const auto& gate : gates_) {
    if (!gate->closed()) gate->close();
  }
}

std::optional<Completion> Trap::open_gates() {
  std::optional<Completion> completed;
  for (const auto& gate : gates_) {
    if (const auto other = gate->open()) completed = other;
  }
  return completed;
}

std::optional<Completion> Trap::spring(int fd, WriteRef& write) {
  const bool limited = options_.headroom_bytes != 0;
  std::unique_lock<LimitLock> alone;
  if (limited && options_.limit_lock != nullptr) alone = std::unique_lock(*options_.limit_lock);
  // Only now: whoever had the lock before made the file longer.
  const std::optional<std::uint64_t> quiet = options_.retries != nullptr ? options_.retries->wait_for_none() : 0;
  const std::uint64_t size_before = size_of(fd);
  if (pacer_) pacer_->settle();
  if (limited) pressure_.tighten(options_.headroom_bytes);
  std::optional<Arming> arming;
  if (options_.parts.arming) arming = arm(fd);
  ring_->submit();
  const std::optional<Completion> completed = ring_->peek();
  const bool in_time = !arming || arming->holds();
  if (completed && completed->user_data != kWriteUserData) {
    throw SystemError("keep an io-wq worker busy (the gate)", completed->result < 0 ? -completed->result : EIO);
  }
  write.route = completed ? Route::kInline : Route::kPunted;
  // Without a gate the growth could be the worker's, and beside a retry another writer's.
  if (!completed && !gates_.empty()) {
    const std::uint64_t grown = size_of(fd) - size_before;
    // An attempt that came to the end of the write would have completed: so much is a worker's.
    const bool own =
        grown < write.length_bytes && quiet && (options_.retries == nullptr || options_.retries->none_since(*quiet));
    write.inline_bytes = own ? grown : 0;
    write.disarmed = own && write.inline_bytes == 0 && !in_time;
  }
  if (limited && options_.parts.relief) pressure_.relieve();
  return completed;
}

// Not while another writer's attempt is looked at.
void Trap::begin_retry() {
  std::unique_lock<LimitLock> alone;
  if (options_.limit_lock != nullptr) alone = std::unique_lock(*options_.limit_lock);
  options_.retries->begin();
}

WriteRef Trap::write(int fd, std::span<const std::byte> bytes, std::int64_t offset,
                     const std::function<void()>& between) {
  const auto fill = [&](io_uring_sqe& sqe) {
    io_uring_prep_write(&sqe, fd, bytes.data(), static_cast<unsigned>(bytes.size()),
                        static_cast<std::uint64_t>(offset));
  };
  return write(fd, bytes.size(), fill, between);
}

// What a thread of the kernel dirties is on its own account, which only a write of its own can settle: one that is made
// with memory to spare, before the gate closes, for it may itself be punted.
void Trap::settle_thread() {
  arm(pacer_->fd());
  const std::uint64_t word = 1;
  io_uring_sqe* sqe = ring_->next_sqe();
  io_uring_prep_write(sqe, pacer_->fd(), &word, sizeof word, 0);
  ring_->submit();
  ring_->wait();
}

WriteRef Trap::write(int fd, std::uint64_t length_bytes, const std::function<void(io_uring_sqe&)>& fill,
                     const std::function<void()>& between) {
  if (pacer_ && options_.setup == RingSetup::kThread && (gates_.empty() || !gates_.front()->closed())) settle_thread();
  prepare();
  io_uring_sqe* sqe = ring_->next_sqe();
  fill(*sqe);
  sqe->user_data = kWriteUserData;
  if (options_.force_async) sqe->flags |= IOSQE_ASYNC;

  WriteRef write;
  write.length_bytes = length_bytes;
  std::optional<Completion> completed = spring(fd, write);
  if (!completed && between) between();
  const bool retried = !completed && options_.retries != nullptr;
  if (retried) begin_retry();
  const std::optional<Completion> meanwhile = open_gates();
  if (!completed) completed = meanwhile ? meanwhile : ring_->wait();
  if (retried) options_.retries->end();
  if (!options_.parts.relief) pressure_.relieve();
  write.result = completed->result;
  return write;
}

}  // namespace writecanary::probe
