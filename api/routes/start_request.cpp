#include "api/routes/start_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

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
const ProfileInfo* check_profile(Body& body, const std::string& field, const std::string& name,
                                 const Catalogue& catalogue) {
  const ProfileInfo* profile = find_profile(catalogue, name);
  if (name.empty() || profile != nullptr) return profile;
  std::vector<std::string> names;
  for (const auto& each : catalogue) names.push_back(each.name);
  body.fail(field, "there is no profile \"" + name + "\"; there is " + quoted_list(names));
  return nullptr;
}

// Every option has to be one of at least one profile, and in the range of each that has it.
void check_options(Body& body, const std::map<std::string, std::int64_t>& options,
                   const std::vector<const ProfileInfo*>& profiles) {
  for (const auto& [name, value] : options) {
    std::vector<std::string> names;
    bool known = false;
    for (const ProfileInfo* profile : profiles) {
      for (const ProfileOption& option : profile->options) {
        if (option.name != name) {
          names.push_back(option.name);
          continue;
        }
        known = true;
        if (value >= option.minimum && value <= option.maximum) continue;
        body.fail("options." + name, fmt::format("{} is out of range for \"{}\"; {} to {} {} are possible", value,
                                                 profile->name, option.minimum, option.maximum, option.unit));
      }
    }
    if (known) continue;
    std::vector<std::string> asked;
    for (const ProfileInfo* profile : profiles) asked.push_back(profile->name);
    body.fail("options." + name, "is not an option of " + quoted_list(asked) + "; it has " + quoted_list(names));
  }
}

// "profile", or "profiles": the same once each.
std::vector<std::string> read_profiles(Body& body) {
  if (!body.has("profiles")) return {body.required_text("profile", kNameBytesMax)};
  if (body.text("profile", kNameBytesMax)) body.fail("profiles", "stands beside \"profile\"; give one of them");
  auto names = body.texts("profiles", kQueuedRunsPerTarget, kNameBytesMax);
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (std::find(names.begin(), name, *name) != name) body.fail("profiles", "has \"" + *name + "\" twice");
  }
  return names;
}

bool is_printable(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

std::variant<StartRequest, Refusal> parse_start_request(const Request& request, const LiveState& live,
                                                        const Catalogue& catalogue) {
  StartRequest wanted;
  StartRun& start = wanted.run;
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
  const std::string field = body.has("profiles") ? "profiles" : "profile";
  const std::vector<std::string> profiles = read_profiles(body);
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
  std::vector<const ProfileInfo*> known;
  for (const std::string& name : profiles) {
    if (const auto* profile = check_profile(body, field, name, catalogue)) known.push_back(profile);
  }
  if (!known.empty() && known.size() == profiles.size()) check_options(body, start.options, known);
  if (auto refusal = body.refusal()) return std::move(*refusal);
  start.profile = profiles.front();
  start.more_profiles.assign(profiles.begin() + 1, profiles.end());
  wanted.is_list = field == "profiles";
  return wanted;
}

}  // namespace writecanary::api
