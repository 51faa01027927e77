#include "probe/trap/ring.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/utsname.h>

#include <cerrno>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/host/host_facts.h"
#include "core/host/kernel_version.h"
#include "core/text/units.h"

namespace writecanary::probe {
namespace {

// What kernel.io_uring_disabled says, empty when the kernel has no such switch (before 6.6).
std::string disabled_setting() {
  try {
    std::string text = read_file("/proc/sys/kernel/io_uring_disabled");
    return text.substr(0, text.find('\n'));
  } catch (const SystemError&) {
    return "";
  }
}

std::string explain_refusal(int error_number) {
  const std::string refused = "io_uring_setup: " + error_text(error_number) + ": ";
  if (error_number == ENOSYS) {
    return refused + "this kernel has no io_uring (CONFIG_IO_URING is off), or a seccomp filter hides it";
  }
  const std::string setting = disabled_setting();
  if (!setting.empty() && setting != "0") {
    return refused + "kernel.io_uring_disabled = " + setting +
           ". Set it to 0 (sysctl kernel.io_uring_disabled=0), or to 1 and give this user's group in "
           "kernel.io_uring_group";
  }
  return refused +
         "a seccomp filter or security module forbids io_uring here (containers often do). "
         "Allow io_uring_setup, io_uring_enter and io_uring_register in its profile";
}

// Why a ring of so many entries found no memory; empty when it is the memory of the host or the cgroup.
std::string memory_advice(unsigned entries) {
  const auto kernel = identify_kernel(kernel_facts()).version;
  if (!kernel || *kernel >= KernelVersion{5, 12, 0}) return {};  // charged to the cgroup
  const ssize_t needed = io_uring_mlock_size(entries, 0);
  rlimit limit{};
  if (needed <= 0 || getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return {};
  return locked_memory_advice(static_cast<std::uint64_t>(needed), limit.rlim_cur);
}

std::string descriptors_advice() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
  return fmt::format(" (RLIMIT_NOFILE is {}. Raise it: LimitNOFILE= of the service, or ulimit -n)", limit.rlim_cur);
}

// How long a kernel thread of a ring spins before it sleeps: no longer than it must.
constexpr unsigned kThreadIdleMs = 1;

io_uring_params params_of(RingSetup setup) {
  io_uring_params params{};
  if (setup == RingSetup::kDeferTaskrun) params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
  if (setup == RingSetup::kThread) {
    params.flags = IORING_SETUP_SQPOLL;
    params.sq_thread_idle = kThreadIdleMs;
  }
  return params;
}

}  // namespace

std::string to_string(RingSetup setup) {
  if (setup == RingSetup::kPlain) return {};
  return setup == RingSetup::kThread ? "IORING_SETUP_SQPOLL" : "IORING_SETUP_DEFER_TASKRUN";
}

std::unique_ptr<Ring> Ring::open(unsigned entries, Unsupported& refused, RingSetup setup) {
  std::unique_ptr<Ring> ring(new Ring);
  io_uring_params params = params_of(setup);
  const int result = io_uring_queue_init_params(entries, &ring->ring_, &params);
  if (result == 0) return ring;
  ring->ring_.ring_fd = -1;
  if (setup != RingSetup::kPlain && (result == -EINVAL || result == -EPERM)) {
    refused.reason = to_string(setup) + ": " + error_text(-result);
    return nullptr;
  }
  if (result == -ENOSYS || result == -EPERM || result == -EACCES) {
    refused.reason = explain_refusal(-result);
    refused.no_ring = true;
    return nullptr;
  }
  if (result == -ENOMEM) throw SystemError("io_uring_setup" + memory_advice(entries), ENOMEM);
  if (result == -EMFILE) throw SystemError("io_uring_setup" + descriptors_advice(), EMFILE);
  if (result == -ENFILE) throw SystemError("io_uring_setup (all files that fs.file-max allows are open)", ENFILE);
  throw SystemError("io_uring_setup", -result);
}

std::unique_ptr<Ring> Ring::open_if_possible(unsigned entries, Unsupported& refused) {
  try {
    return open(entries, refused);
  } catch (const SystemError& error) {
    refused.reason = error.what();
    return nullptr;
  }
}

std::string locked_memory_advice(std::uint64_t needed_bytes, std::uint64_t limit_bytes) {
  return fmt::format(
      " (this kernel, older than 5.12, charges a ring to locked memory: this one needs {} beside the user's other "
      "rings, "
      "and RLIMIT_MEMLOCK is {}. Raise it: LimitMEMLOCK= of the service, or ulimit -l)",
      format_size(needed_bytes), format_size(limit_bytes));
}

Ring::~Ring() {
  if (ring_.ring_fd >= 0) io_uring_queue_exit(&ring_);
}

io_uring_sqe* Ring::next_sqe() {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  WC_CHECK(sqe != nullptr);
  return sqe;
}

void Ring::submit() {
  int result = -EINTR;
  while (result == -EINTR) result = io_uring_submit(&ring_);
  if (result < 0) throw SystemError("io_uring_submit", -result);
  if ((ring_.flags & IORING_SETUP_SQPOLL) == 0) return;
  while (io_uring_sq_ready(&ring_) != 0) sched_yield();
}

std::optional<Completion> Ring::peek() {
  io_uring_cqe* cqe = nullptr;
  if (io_uring_peek_cqe(&ring_, &cqe) != 0) return std::nullopt;
  const Completion completion{cqe->user_data, cqe->res};
  io_uring_cqe_seen(&ring_, cqe);
  return completion;
}

Completion Ring::wait() {
  io_uring_cqe* cqe = nullptr;
  int result = -EINTR;
  while (result == -EINTR) result = io_uring_wait_cqe(&ring_, &cqe);
  if (result < 0) throw SystemError("io_uring_wait_cqe", -result);
  const Completion completion{cqe->user_data, cqe->res};
  io_uring_cqe_seen(&ring_, cqe);
  return completion;
}

bool Ring::limit_workers(unsigned bounded, unsigned unbounded) {
  unsigned counts[2] = {bounded, unbounded};
  return io_uring_register_iowq_max_workers(&ring_, counts) == 0;
}

int Ring::register_buffer(std::span<std::byte> buffer) {
  const iovec memory{buffer.data(), buffer.size()};
  return -io_uring_register_buffers(&ring_, &memory, 1);
}

int Ring::register_files(std::span<const int> descriptors) {
  const auto count = static_cast<unsigned>(descriptors.size());
  const int result = has_files_ ? io_uring_register_files_update(&ring_, 0, descriptors.data(), count)
                                : io_uring_register_files(&ring_, descriptors.data(), count);
  if (result < 0) return -result;
  has_files_ = true;
  return 0;
}

void Ring::forget_files() {
  if (!has_files_) return;
  io_uring_unregister_files(&ring_);
  has_files_ = false;
}

}  // namespace writecanary::probe
