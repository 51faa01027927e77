#include "probe/run/run_limits.h"

#include <algorithm>

namespace writecanary::probe {
namespace {

constexpr std::chrono::seconds kSpaceCheckInterval{1};

double share(std::uint64_t done, std::uint64_t limit) {
  return limit == 0 ? 0.0 : static_cast<double>(done) / static_cast<double>(limit);
}

}  // namespace

double RunLimits::spent() const {
  const double time =
      spec_.duration_ms == 0 ? 0.0 : meter_.elapsed_seconds() * 1000.0 / static_cast<double>(spec_.duration_ms);
  return std::max(time, share(meter_.counters().bytes_written, spec_.bytes_max));
}

double RunLimits::fraction() const {
  return std::min(1.0, std::max(spent(), share(meter_.counters().writes, spec_.writes_max)));
}

bool RunLimits::may_continue() {
  const SteadyTime::duration now = meter_.elapsed();
  if (now >= next_progress_) {
    next_progress_ = now + kProgressInterval;
    meter_.count_events(pressure_);
    emitter_.send(Progress{meter_.elapsed_seconds(), fraction(), meter_.counters(), meter_.tally()});
  }
  if (stopped() || fraction() >= 1.0) return false;
  if (now >= next_space_check_) {
    next_space_check_ = now + kSpaceCheckInterval;
    std::string why;
    if (!workspace_.enough_space(why)) throw WorkspaceRefusal(why);
  }
  return true;
}

bool RunLimits::has_room() {
  if (stopped() || spent() >= 1.0) return false;
  const SteadyTime::duration now = meter_.elapsed();
  if (now < next_space_check_) return true;
  next_space_check_ = now + kSpaceCheckInterval;
  std::string why;
  return workspace_.enough_space(why);
}

}  // namespace writecanary::probe
