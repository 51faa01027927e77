#include "api/guard/rate_limit.h"

#include <algorithm>

namespace writecanary::api {
namespace {

// Addresses that are remembered. When more than that ask at once, all newcomers share one bucket.
constexpr std::size_t kAddressesMax = 1024;

}  // namespace

double TokenBucket::level_at(SteadyTime now) const {
  if (since_ == SteadyTime{}) return level_;
  return std::min(burst_, level_ + per_second_ * std::chrono::duration<double>(now - since_).count());
}

bool TokenBucket::is_full(SteadyTime now) const { return level_at(now) >= burst_; }

bool TokenBucket::take(SteadyTime now) {
  level_ = level_at(now);
  since_ = now;
  if (level_ < 1) return false;
  level_ -= 1;
  return true;
}

void RateLimit::set(double burst, double per_second) {
  const std::lock_guard lock(mutex_);
  burst_ = burst;
  per_second_ = per_second;
  buckets_.clear();
}

bool RateLimit::allow(const std::string& address, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  if (per_second_ == 0) return true;
  if (buckets_.size() >= kAddressesMax) {
    std::erase_if(buckets_, [now](const auto& entry) { return entry.second.is_full(now); });
  }
  const bool crowded = buckets_.size() >= kAddressesMax && !buckets_.contains(address);
  return buckets_.try_emplace(crowded ? "" : address, burst_, per_second_).first->second.take(now);
}

}  // namespace writecanary::api
