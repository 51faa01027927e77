// An incident: all findings of one kind, profile, target and kernel release, and when it counts as over.
//
// A bug that a kernel has is found again with every run. What people and alerts deal with is therefore the incident,
// not the finding. Everything here is judgement of figures, and pure; how incidents are kept is
// storage/tables/incidents.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace writecanary {

enum class IncidentState : std::uint8_t {
  kOpen,      // somebody has to look
  kKnown,     // somebody did, and said so
  kResolved,  // measured to be over
};
inline constexpr std::array kAllIncidentStates = {IncidentState::kOpen, IncidentState::kKnown,
                                                  IncidentState::kResolved};

// What ends being known, beside its end by measurement. Another kernel release is another incident in any case.
enum class KnownUntil : std::uint8_t {
  kKernel,  // nothing but that
  kDate,
  kRate,  // its rate rises significantly
};

std::string_view to_string(IncidentState state);
std::string_view to_string(KnownUntil until);
std::optional<IncidentState> parse_incident_state(std::string_view text);
std::optional<KnownUntil> parse_known_until(std::string_view text);

// Runs of one profile on one target and release, as far as they were judged.
struct Measured {
  std::uint64_t findings = 0;
  std::uint64_t exposures = 0;
  std::uint64_t runs_with = 0;  // with such a finding
  std::uint64_t runs = 0;       // that were exposed, or had one
};

// Whatever was seen, fewer exposures or runs without it say nothing: findings come in bursts.
inline constexpr std::uint64_t kResolveExposuresMin = 1'000;
inline constexpr std::uint64_t kResolveRunsMin = 3;

// So much without a finding is seen with a probability below 0.1 % if nothing has changed: exposures by the lower 95 %
// bound of the rate per exposure, runs by the share of runs that had one. At least the two bounds above.
std::uint64_t exposures_to_resolve(const Measured& seen);
std::uint64_t runs_to_resolve(const Measured& seen);

// Whether the rate per exposure since then is above what it was, beyond chance: its lower 95 % bound is above the
// upper one of before.
bool rate_rose(const Measured& before, const Measured& since);

}  // namespace writecanary
