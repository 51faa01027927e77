#include "api/guard/audit_log.h"

#include <fmt/format.h>

#include <utility>

#include "api/refusal/limits.h"

namespace writecanary::api {

AuditLog::AuditLog(CommandPort& commands, const Clock& clock)
    : commands_(commands), clock_(clock), bucket_(kRefusalsBurst, kRefusalsPerSecond) {}

void AuditLog::refused(const Caller& caller, const Refusal& refusal) {
  std::uint64_t unrecorded = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!bucket_.take(clock_.steady())) {
      ++unrecorded_;
      return;
    }
    unrecorded = std::exchange(unrecorded_, 0);
  }
  RefusedChange change{refusal.status, refusal.type + ": " + refusal.detail};
  if (unrecorded > 0)
    change.reason += fmt::format(" ({} refused changes before this one were not recorded)", unrecorded);
  const auto result = commands_.execute(caller, std::move(change));
  if (std::holds_alternative<Accepted>(result)) return;
  const std::lock_guard lock(mutex_);
  unrecorded_ += unrecorded + 1;
}

}  // namespace writecanary::api
