// How many changes one address may ask for: enough for any person or script that knows what it does, too few to keep
// the loop or the audit busy.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "core/base/clock.h"

namespace writecanary::api {

// Fills at a steady rate up to its burst; each take empties it by one. Used by one thread at a time.
class TokenBucket {
 public:
  TokenBucket(double burst, double per_second) : burst_(burst), per_second_(per_second), level_(burst) {}
  bool take(SteadyTime now);
  bool is_full(SteadyTime now) const;

 private:
  double level_at(SteadyTime now) const;

  double burst_;
  double per_second_;
  double level_;
  SteadyTime since_{};  // when level_ was right; nothing before the first take
};

class RateLimit {
 public:
  // False: too many from there. Any thread.
  bool allow(const std::string& address, SteadyTime now);

 private:
  std::mutex mutex_;
  std::map<std::string, TokenBucket> buckets_;  // guarded by mutex_
};

}  // namespace writecanary::api
