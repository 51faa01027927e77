// Ctrl-C and its like as something that can be waited for instead of something that kills us half-way.
#pragma once

#include <csignal>

#include "core/loop/event_loop.h"

namespace writecanary::cli {

// While it lives, SIGINT, SIGTERM and SIGHUP of this thread do nothing but become readable here. One per process.
class Interrupts {
 public:
  // Throws SystemError.
  Interrupts() = default;
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  int fd() const { return signals_.fd(); }
  // How many arrived since the last call; a signal that came several times may count once.
  int take();
  // True from the first one on.
  bool any() const { return any_; }

 private:
  static sigset_t blocked_now();

  const sigset_t before_ = blocked_now();
  Signals signals_;
  bool any_ = false;
};

}  // namespace writecanary::cli
