#include "cli/terminal/interrupts.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include "core/base/error.h"

namespace writecanary::cli {

Interrupts::Interrupts() {
  sigset_t watched;
  sigemptyset(&watched);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&watched, number);
  fd_ = Fd(signalfd(-1, &watched, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd_) throw_errno("signalfd");
  pthread_sigmask(SIG_BLOCK, &watched, &before_);
}

Interrupts::~Interrupts() {
  // One that arrives after the last take() was meant for what has just ended: it must not kill us when unblocked.
  take();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

int Interrupts::take() {
  int count = 0;
  signalfd_siginfo info{};
  while (read(fd_.get(), &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) ++count;
  any_ = any_ || count > 0;
  return count;
}

}  // namespace writecanary::cli
