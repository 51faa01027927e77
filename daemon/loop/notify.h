// What systemd is told (sd_notify(3)): ready, reloading, stopping, alive. Does nothing when not started by systemd.
#pragma once

#include <optional>
#include <string>

#include "core/base/clock.h"

namespace writecanary::daemon {

class Notifier {
 public:
  Notifier();
  void ready(const std::string& status);
  void reloading();
  void stopping();
  // Call from the loop alone, so that a loop that hangs is noticed. Sends at most twice per watchdog interval.
  void alive(SteadyTime now);

 private:
  std::optional<std::chrono::microseconds> interval_;  // of WatchdogSec=, halved
  SteadyTime last_{};
};

}  // namespace writecanary::daemon
