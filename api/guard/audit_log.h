// Changes that were refused before the loop heard of them, on their way into the audit. Those that the loop carries out
// or refuses it records itself.
#pragma once

#include <cstdint>
#include <mutex>

#include "api/guard/rate_limit.h"
#include "api/loop/commands.h"
#include "core/base/clock.h"

namespace writecanary::api {

class AuditLog {
 public:
  // Both must outlive this.
  AuditLog(CommandPort& commands, const Clock& clock);

  // Records it, or counts it when there are so many that recording them would keep the loop from its work; the next
  // one that is recorded says how many. Any thread; waits for the loop.
  void refused(const Caller& caller, const Refusal& refusal);

 private:
  CommandPort& commands_;
  const Clock& clock_;
  std::mutex mutex_;
  TokenBucket bucket_;            // guarded by mutex_
  std::uint64_t unrecorded_ = 0;  // guarded by mutex_
};

}  // namespace writecanary::api
