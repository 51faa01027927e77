#include "core/process/child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace writecanary {
namespace {

constexpr int kReportFd = STDERR_FILENO + 1;
constexpr int kExitNotStarted = 127;  // as the shell has it; the parent reads the report instead

[[noreturn]] void fail(int report_fd, ChildStep step, int error_number) {
  const ChildFailure failure{step, error_number};
  // Nothing is left to do when even this fails: the parent is gone.
  [[maybe_unused]] const ssize_t wrote = write(report_fd, &failure, sizeof failure);
  _exit(kExitNotStarted);
}

void require(bool done, int report_fd, ChildStep step) {
  if (!done) fail(report_fd, step, errno);
}

// exec resets handlers but keeps what is ignored and what is blocked: the probe must see SIGTERM whatever the parent
// does with signals.
void reset_signals(int report_fd) {
  struct sigaction standard = {};
  standard.sa_handler = SIG_DFL;
  // The C library keeps a few real-time signals to itself and refuses them (EINVAL), like SIGKILL and SIGSTOP.
  for (int number = 1; number <= SIGRTMAX; ++number) sigaction(number, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  require(sigprocmask(SIG_SETMASK, &none, nullptr) == 0, report_fd, ChildStep::kSignals);
}

// The three standard ones and the report remain.
void place_descriptors(const ChildPlan& plan) {
  const auto step = ChildStep::kDescriptors;
  require(dup2(plan.input_fd, STDIN_FILENO) >= 0, plan.report_fd, step);
  require(dup2(plan.events_fd, STDOUT_FILENO) >= 0, plan.report_fd, step);
  if (plan.stderr_fd >= 0) require(dup2(plan.stderr_fd, STDERR_FILENO) >= 0, plan.report_fd, step);
  if (plan.report_fd != kReportFd) require(dup3(plan.report_fd, kReportFd, O_CLOEXEC) >= 0, plan.report_fd, step);
  require(close_range(kReportFd + 1, ~0U, 0) == 0, kReportFd, step);
}

}  // namespace

std::string_view describe(ChildStep step) {
  switch (step) {
    case ChildStep::kProcessGroup:
      return "make a process group";
    case ChildStep::kParentDeath:
      return "follow the parent's death";
    case ChildStep::kSignals:
      return "reset signals";
    case ChildStep::kEnterCgroup:
      return "enter cgroup";
    case ChildStep::kDescriptors:
      return "arrange descriptors";
    case ChildStep::kExec:
      return "exec";
  }
  return "unknown step";
}

void become_child(const ChildPlan& plan) {
  require(setpgid(0, 0) == 0, plan.report_fd, ChildStep::kProcessGroup);
  require(prctl(PR_SET_PDEATHSIG, SIGTERM) == 0, plan.report_fd, ChildStep::kParentDeath);
  // A parent that died before the call above sends nothing any more.
  if (getppid() != plan.parent) fail(plan.report_fd, ChildStep::kParentDeath, ESRCH);
  if (plan.procs_fd >= 0) {
    require(write(plan.procs_fd, "0", 1) == 1, plan.report_fd, ChildStep::kEnterCgroup);  // 0: the writer itself
  }
  place_descriptors(plan);
  reset_signals(kReportFd);
  execvp(plan.argv[0], plan.argv);  // glibc's works on the stack alone
  fail(kReportFd, ChildStep::kExec, errno);
}

}  // namespace writecanary
