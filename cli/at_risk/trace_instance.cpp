#include "cli/at_risk/trace_instance.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "core/base/error.h"

namespace writecanary::cli {
namespace {

constexpr char kPrefix[] = "writecanary-at-risk-";
constexpr std::size_t kBatchBytes = 256UL * 1024;
// For each CPU: some ten thousand requests between two reads.
constexpr char kBufferKiB[] = "1408";
// WRITEV, WRITE_FIXED, WRITE, WRITEV_FIXED of include/uapi/linux/io_uring.h.
constexpr char kWrites[] = "opcode == 2 || opcode == 5 || opcode == 23 || opcode == 60";

std::string tracefs() {
  for (const char* directory : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    if (access(fmt::format("{}/instances", directory).c_str(), X_OK) == 0) return directory;
  }
  throw SystemError(
      "no tracefs that can be used at /sys/kernel/tracing (as root: mount -t tracefs tracefs /sys/kernel/tracing)",
      errno);
}

// Of the initial PID namespace in any kernel: PROC_PID_INIT_INO of include/linux/proc_ns.h.
constexpr ino_t kInitialPidNamespace = 0xEFFFFFFC;

// Tracepoints name threads as the initial namespace does: in another one, these numbers are those of others.
void require_initial_pid_namespace() {
  struct stat about {};
  if (stat("/proc/self/ns/pid", &about) == 0 && about.st_ino == kInitialPidNamespace) return;
  throw SystemError(
      "this PID namespace is not the host's, and the kernel's tracepoints name processes as the host does; run it on "
      "the "
      "host (podman, docker: --pid=host; Kubernetes: hostPID)",
      EOPNOTSUPP);
}

void remove_leftovers(const std::string& instances) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(instances, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    const std::string digits = name.substr(std::size(kPrefix) - 1);
    pid_t pid = 0;
    const auto [end, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), pid);
    const bool is_ours = bad == std::errc{} && end == digits.data() + digits.size() && pid > 0;
    if (is_ours && kill(pid, 0) != 0 && errno == ESRCH) rmdir(entry.path().c_str());
  }
}

}  // namespace

TraceInstance::TraceInstance() {
  require_initial_pid_namespace();
  const std::string root = tracefs();
  if (access(fmt::format("{}/events/io_uring/io_uring_queue_async_work", root).c_str(), F_OK) != 0) {
    throw SystemError("this kernel has no tracepoint io_uring:io_uring_queue_async_work", errno);
  }
  remove_leftovers(root + "/instances");
  const std::string directory = fmt::format("{}/instances/{}{}", root, kPrefix, getpid());
  if (mkdir(directory.c_str(), 0700) != 0) throw_errno("mkdir " + directory);
  directory_ = directory;
  try {
    write_control_file(directory_ + "/buffer_size_kb", kBufferKiB);
    pipe_ = open_file(directory_ + "/trace_pipe", O_RDONLY | O_NONBLOCK);
    enable("io_uring_file_get", "");
    enable("io_uring_queue_async_work", kWrites);
  } catch (...) {
    pipe_.reset();
    rmdir(directory_.c_str());
    throw;
  }
}

TraceInstance::~TraceInstance() {
  pipe_.reset();
  rmdir(directory_.c_str());
}

void TraceInstance::enable(const std::string& event, const std::string& filter) {
  const std::string directory = fmt::format("{}/events/io_uring/{}", directory_, event);
  if (!filter.empty()) write_control_file(directory + "/filter", filter);
  write_control_file(directory + "/enable", "1");
}

std::string TraceInstance::read() {
  std::string text;
  std::array<char, 16384> chunk{};
  while (text.size() < kBatchBytes) {
    const ssize_t got = ::read(pipe_.get(), chunk.data(), chunk.size());
    if (got > 0) {
      text.append(chunk.data(), static_cast<std::size_t>(got));
    } else if (got == 0 || errno != EINTR) {
      break;
    }
  }
  return text;
}

}  // namespace writecanary::cli
