#include "api/routes/start_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "api/refusal/limits.h"
#include "api/refusal/problem.h"
#include "core/base/limits.h"

namespace writecanary::api {
namespace {

void check_target(Body& body, const std::string& name, const LiveState& live) {
  std::vector<std::string> names;
  for (const auto& target : live.targets) names.push_back(target.name);
  if (name.empty() || std::find(names.begin(), names.end(), name) != names.end()) return;
  body.fail("target", "no target \"" + name + "\" is configured; there is " + quoted_list(names));
}

// Null when there is no such profile; that was then said.
const ProfileInfo* check_profile(Body& body, const std::string& name, const Catalogue& catalogue) {
  const ProfileInfo* profile = find_profile(catalogue, name);
  if (name.empty() || profile != nullptr) return profile;
  std::vector<std::string> names;
  for (const auto& each : catalogue) names.push_back(each.name);
  body.fail("profile", "there is no profile \"" + name + "\"; there is " + quoted_list(names));
  return nullptr;
}

void check_options(Body& body, const std::map<std::string, std::int64_t>& options, const ProfileInfo& profile) {
  for (const auto& [name, value] : options) {
    const auto& known = profile.options;
    const auto option = std::ranges::find(known, name, &ProfileOption::name);
    if (option == known.end()) {
      std::vector<std::string> names;
      names.reserve(known.size());
      for (const auto& each : known) names.push_back(each.name);
      body.fail("options." + name, "is not an option of \"" + profile.name + "\"; it has " + quoted_list(names));
    } else if (value < option->minimum || value > option->maximum) {
      body.fail("options." + name, fmt::format("{} is out of range; {} to {} {} are possible", value, option->minimum,
                                               option->maximum, option->unit));
    }
  }
}

bool is_printable(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

std::variant<StartRun, Refusal> parse_start_request(const Request& request, const LiveState& live,
                                                    const Catalogue& catalogue) {
  StartRun start;
  start.idempotency_key = request.header("Idempotency-Key");
  if (start.idempotency_key.size() > kIdempotencyKeyBytesMax || !is_printable(start.idempotency_key)) {
    return Refusal{400,
                   "invalid-idempotency-key",
                   "The Idempotency-Key cannot be used",
                   fmt::format("Up to {} printable characters without blanks are possible.", kIdempotencyKeyBytesMax),
                   {}};
  }
  Body body(request.body);
  start.target = body.required_text("target", kNameBytesMax);
  start.profile = body.required_text("profile", kNameBytesMax);
  constexpr double kDurationSecondsMax = static_cast<double>(kDurationMsMax) / 1000;
  if (const auto seconds = body.decimal("duration_seconds", kDurationSecondsMin, kDurationSecondsMax)) {
    start.duration_ms = static_cast<std::uint64_t>(std::llround(*seconds * 1000));
  }
  start.writes = body.number("writes", 1, kWritesMax);
  start.seed = body.seed("seed");
  start.memory_bytes = body.number("memory_bytes", kMemoryBytesMin, kMemoryBytesMax);
  start.options = body.numbers("options");
  start.classic = body.flag("classic").value_or(false);
  start.queue = body.flag("queue").value_or(false);
  check_target(body, start.target, live);
  if (const auto* profile = check_profile(body, start.profile, catalogue)) {
    check_options(body, start.options, *profile);
  }
  if (auto refusal = body.refusal()) return std::move(*refusal);
  return start;
}

}  // namespace writecanary::api
