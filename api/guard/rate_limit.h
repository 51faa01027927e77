// How much one address may ask for: enough for any person or script that knows what it does, too little to keep the
// loop, the audit or the database busy. Each kind of request has a limit of its own.
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

// Any thread.
class RateLimit {
 public:
  // So many at once, and so many a second in the long run; 0 a second: no limit.
  RateLimit(double burst, double per_second) : burst_(burst), per_second_(per_second) {}
  // From now on; everyone begins anew.
  void set(double burst, double per_second);
  // False: too many from there.
  bool allow(const std::string& address, SteadyTime now);

 private:
  std::mutex mutex_;
  double burst_, per_second_;                   // guarded by mutex_
  std::map<std::string, TokenBucket> buckets_;  // guarded by mutex_
};

}  // namespace writecanary::api
