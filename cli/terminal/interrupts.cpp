#include "cli/terminal/interrupts.h"

namespace writecanary::cli {

Interrupts::~Interrupts() {
  // One that arrives after the last take() was meant for what has just ended: it must not kill us when unblocked.
  take();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

int Interrupts::take() {
  int count = 0;
  while (signals_.take() != 0) ++count;
  any_ = any_ || count > 0;
  return count;
}

sigset_t Interrupts::blocked_now() {
  sigset_t now;
  pthread_sigmask(SIG_SETMASK, nullptr, &now);
  return now;
}

}  // namespace writecanary::cli
