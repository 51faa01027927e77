#include "daemon/loop/notify.h"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <ctime>

namespace writecanary::daemon {

Notifier::Notifier() {
  std::uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(0, &microseconds) > 0) interval_ = std::chrono::microseconds{microseconds / 2};
}

void Notifier::ready(const std::string& status) { ::sd_notify(0, ("READY=1\nSTATUS=" + status).c_str()); }

void Notifier::reloading() {
  // Type=notify-reload wants the monotonic time at which the reload began.
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const auto microseconds = static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
  ::sd_notify(0, fmt::format("RELOADING=1\nMONOTONIC_USEC={}", microseconds).c_str());
}

void Notifier::stopping() { ::sd_notify(0, "STOPPING=1"); }

void Notifier::alive(SteadyTime now) {
  if (!interval_ || now - last_ < *interval_) return;
  last_ = now;
  ::sd_notify(0, "WATCHDOG=1");
}

}  // namespace writecanary::daemon
