#include "core/process/probe_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "core/base/error.h"
#include "core/process/child.h"

namespace writecanary {
namespace {

struct Pipe {
  Fd read_end, write_end;
};

// dup2 onto 0, 1 and 2 in the child must not hit a descriptor that is still needed, even when the parent was started
// with some of them closed.
Fd above_standard(Fd fd) {
  if (fd.get() > STDERR_FILENO) return fd;
  Fd moved{fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1)};
  if (!moved) throw_errno("duplicate a descriptor");
  return moved;
}

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("make a pipe");
  Fd read_end{ends[0]};
  Fd write_end{ends[1]};
  return {above_standard(std::move(read_end)), above_standard(std::move(write_end))};
}

void set_nonblocking(const Fd& fd) {
  if (fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) throw_errno("make a pipe non-blocking");
}

// A memory file rather than a pipe: input of any size, and nobody has to feed it.
Fd make_input(const std::string& input) {
  Fd fd{memfd_create("probe-input", MFD_CLOEXEC)};
  if (!fd) throw_errno("memfd_create");
  fd = above_standard(std::move(fd));
  write_all(fd.get(), input);
  if (lseek(fd.get(), 0, SEEK_SET) != 0) throw_errno("rewind the probe's input");
  return fd;
}

// Blocks every signal in this thread while it lives, so that no handler of the parent runs in the child before exec.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;
  ~AllSignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

int wait_for(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) throw_errno(fmt::format("wait for process {}", pid));
  }
  return status;
}

// Until the child has called exec, which closes the pipe, or has said why it could not.
std::optional<ChildFailure> read_failure(const Fd& pipe) {
  ChildFailure failure;
  for (;;) {
    const ssize_t got = read(pipe.get(), &failure, sizeof failure);
    if (got == sizeof failure) return failure;  // written with one write(2), below PIPE_BUF
    if (got == 0) return std::nullopt;
    if (got < 0 && errno != EINTR) throw_errno("read the child's start-up report");
  }
}

}  // namespace

ProbeProcess ProbeProcess::start(const std::string& program, const std::vector<std::string>& arguments,
                                 const std::string& input, const Cgroup* cgroup, bool inherit_stderr) {
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  const Fd stdin_file = make_input(input);
  Pipe events = make_pipe();
  Pipe errors = inherit_stderr ? Pipe{} : make_pipe();
  Pipe report = make_pipe();
  set_nonblocking(events.read_end);
  if (errors.read_end) set_nonblocking(errors.read_end);
  Fd procs;
  if (cgroup != nullptr) procs = above_standard(open_file(cgroup->procs_file(), O_WRONLY));

  const ChildPlan plan{.argv = argv.data(),
                       .parent = getpid(),
                       .input_fd = stdin_file.get(),
                       .events_fd = events.write_end.get(),
                       .stderr_fd = errors.write_end.get(),
                       .procs_fd = procs.get(),
                       .report_fd = report.write_end.get()};
  ProbeProcess process;
  {
    const AllSignalsBlocked blocked;
    process.pid_ = fork();
    if (process.pid_ == 0) become_child(plan);
  }
  if (process.pid_ < 0) throw_errno("start " + program + ": fork");
  // The child is not reaped before this, so its number cannot belong to another process.
  process.pid_fd_ = Fd{static_cast<int>(syscall(SYS_pidfd_open, process.pid_, 0))};
  const int pidfd_error = errno;
  report.write_end.reset();
  const auto failure = read_failure(report.read_end);
  if (failure) {
    wait_for(process.pid_);
    const bool at_cgroup = failure->step == ChildStep::kEnterCgroup && cgroup != nullptr;
    throw SystemError(fmt::format("start {}: {}{}", program, describe(failure->step),
                                  at_cgroup ? " " + cgroup->directory() : std::string()),
                      failure->error_number);
  }
  if (!process.pid_fd_) {
    kill(process.pid_, SIGKILL);
    wait_for(process.pid_);
    throw SystemError("start " + program + ": pidfd_open", pidfd_error);
  }
  process.events_ = std::move(events.read_end);
  process.stderr_ = std::move(errors.read_end);
  return process;
}

void ProbeProcess::signal(int number) const {
  if (status_) return;
  if (syscall(SYS_pidfd_send_signal, pid_fd_.get(), number, nullptr, 0) != 0 && errno != ESRCH) {
    throw_errno(fmt::format("send signal {} to process {}", number, pid_));
  }
}

std::optional<int> ProbeProcess::try_wait() {
  if (status_) return status_;
  int status = 0;
  const pid_t ended = waitpid(pid_, &status, WNOHANG);
  if (ended < 0) throw_errno(fmt::format("wait for process {}", pid_));
  if (ended == pid_) status_ = status;
  return status_;
}

int ProbeProcess::wait() {
  if (!status_) status_ = wait_for(pid_);
  return *status_;
}

std::string describe_wait_status(int status) {
  if (WIFEXITED(status)) return fmt::format("exit code {}", WEXITSTATUS(status));
  if (!WIFSIGNALED(status)) return fmt::format("wait status {}", status);
  const char* name = sigabbrev_np(WTERMSIG(status));
  if (name == nullptr) return fmt::format("killed by signal {}", WTERMSIG(status));
  return fmt::format("killed by SIG{}{}", name, WCOREDUMP(status) ? " (core dumped)" : "");
}

}  // namespace writecanary
