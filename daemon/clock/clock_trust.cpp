#include "daemon/clock/clock_trust.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace writecanary::daemon {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kToleratedMs = milliseconds{kStepTolerated}.count();
// Small corrections add up over months; they are forgiven once in this time.
constexpr std::int64_t kRenewMs = milliseconds{std::chrono::hours{1}}.count();

bool was_set(const ClockReading& reading) { return reading.wall_ms >= kNotSetBeforeMs; }

bool worth_renewing(const ClockReading& known, const ClockReading& now) {
  return known.boot != now.boot || now.boot_ms - known.boot_ms >= kRenewMs || was_set(known) != was_set(now);
}

nlohmann::json json_of(const ClockReading& reading) {
  return {{"wall_ms", reading.wall_ms}, {"boot_ms", reading.boot_ms}, {"boot", reading.boot}};
}

ClockReading reading_of(const nlohmann::json& json) {
  return {json.at("wall_ms").get<std::int64_t>(), json.at("boot_ms").get<std::int64_t>(),
          json.at("boot").get<std::string>()};
}

}  // namespace

bool agrees(const ClockReading& before, const ClockReading& now) {
  if (!was_set(before) && was_set(now)) return true;
  const auto went_on = now.wall_ms - before.wall_ms;
  if (before.boot == now.boot) return std::abs(went_on - (now.boot_ms - before.boot_ms)) <= kToleratedMs;
  return went_on >= now.boot_ms - kToleratedMs && went_on <= now.boot_ms + milliseconds{kOffTolerated}.count();
}

void to_json(nlohmann::json& out, const ClockMemory& memory) {
  out = {{"trusted", json_of(memory.trusted)}};
  if (!memory.other) return;
  out["other"] = json_of(memory.other->last);
  out["other"]["since_ms"] = memory.other->since_ms;
}

void from_json(const nlohmann::json& in, ClockMemory& memory) {
  memory.trusted = reading_of(in.at("trusted"));
  memory.other.reset();
  if (!in.contains("other")) return;
  memory.other = {reading_of(in.at("other")), in.at("other").at("since_ms").get<std::int64_t>()};
}

ClockTrust::Change ClockTrust::look(const ClockReading& now) {
  auto& [trusted, other] = memory_;
  if (agrees(trusted, now)) {
    const bool was_suspect = suspect();
    other.reset();
    if (was_suspect || worth_renewing(trusted, now)) trusted = now;
    return was_suspect ? Change::kBack : Change::kNone;
  }
  if (!other || !agrees(other->last, now)) {
    other = {now, now.wall_ms};
    return Change::kJumped;
  }
  if (now.wall_ms - other->since_ms >= milliseconds{kSettling}.count()) {
    trusted = now;
    other.reset();
    return Change::kSettled;
  }
  if (worth_renewing(other->last, now)) other->last = now;
  return Change::kNone;
}

std::int64_t ClockTrust::believed_ms(const ClockReading& now) const {
  if (!suspect()) return now.wall_ms;
  const auto& trusted = memory_.trusted;
  // After a reboot at least the time since then has gone by.
  return trusted.wall_ms + std::max<std::int64_t>(0, now.boot_ms - (trusted.boot == now.boot ? trusted.boot_ms : 0));
}

}  // namespace writecanary::daemon
