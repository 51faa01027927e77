#include "core/run/incident.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/base/upper_bound.h"

namespace writecanary {
namespace {

constexpr double kResolvedByChanceMax = 0.001;

constexpr std::array<std::pair<IncidentState, std::string_view>, 3> kIncidentStateNames = {
    {{IncidentState::kOpen, "open"}, {IncidentState::kKnown, "known"}, {IncidentState::kResolved, "resolved"}}};
constexpr std::array<std::pair<KnownUntil, std::string_view>, 3> kKnownUntilNames = {
    {{KnownUntil::kKernel, "kernel"}, {KnownUntil::kDate, "date"}, {KnownUntil::kRate, "rate"}}};

template <typename Table, typename Value>
std::string_view name_of_value(const Table& table, Value value) {
  return std::ranges::find(table, value, &Table::value_type::first)->second;
}

template <typename Value, typename Table>
std::optional<Value> value_of_name(const Table& table, std::string_view name) {
  const auto found = std::ranges::find(table, name, &Table::value_type::second);
  return found == table.end() ? std::nullopt : std::optional<Value>(found->first);
}

std::uint64_t rounded_up(double value) {
  constexpr double kLargest = 1e18;  // no host gets there
  return static_cast<std::uint64_t>(std::ceil(std::min(value, kLargest)));
}

}  // namespace

std::string_view to_string(IncidentState state) { return name_of_value(kIncidentStateNames, state); }
std::string_view to_string(KnownUntil until) { return name_of_value(kKnownUntilNames, until); }

std::optional<IncidentState> parse_incident_state(std::string_view text) {
  return value_of_name<IncidentState>(kIncidentStateNames, text);
}
std::optional<KnownUntil> parse_known_until(std::string_view text) {
  return value_of_name<KnownUntil>(kKnownUntilNames, text);
}

std::uint64_t exposures_to_resolve(const Measured& seen) {
  const double rate = rate_lower_bound_95(seen.findings, seen.exposures).value_or(0);
  if (rate <= 0) return kResolveExposuresMin;
  return std::max(kResolveExposuresMin, rounded_up(-std::log(kResolvedByChanceMax) / rate));
}

std::uint64_t runs_to_resolve(const Measured& seen) {
  if (seen.runs_with >= seen.runs || seen.runs_with == 0) return kResolveRunsMin;
  const double share = static_cast<double>(seen.runs_with) / static_cast<double>(seen.runs);
  return std::max(kResolveRunsMin, rounded_up(std::log(kResolvedByChanceMax) / std::log1p(-share)));
}

bool rate_rose(const Measured& before, const Measured& since) {
  const auto was_at_most = rate_upper_bound_95(before.findings, before.exposures);
  const auto is_at_least = rate_lower_bound_95(since.findings, since.exposures);
  return was_at_most && is_at_least && *is_at_least > *was_at_most;
}

}  // namespace writecanary
