#include "cli/gate/gate_detectors.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cli/terminal/text.h"
#include "core/base/upper_bound.h"

namespace writecanary::cli {
namespace {

std::set<std::string> required_ones(const GateCase& given, const GateLimits& limits) {
  std::set<std::string> names(limits.require.begin(), limits.require.end());
  if (!names.empty()) return names;
  if (!given.before) return {given.exposed_anywhere.begin(), given.exposed_anywhere.end()};
  for (const GateDetector& detector : given.before->detectors) {
    if (detector.exposures > 0 && !detector.profile.empty()) names.insert(detector.profile);
  }
  return names;
}

// "12 runs were unsupported, 3 unexposed".
std::string runs_text(const GateDetector& detector) {
  std::string text;
  for (const auto& [verdict, count] : detector.runs) {
    if (count == 0) continue;
    text += text.empty() ? fmt::format("{} {} {}", counted(count, "run"), count == 1 ? "was" : "were", verdict)
                         : fmt::format(", {} {}", format_count(count), verdict);
  }
  return text.empty() ? "no run of it is known" : text;
}

std::vector<std::string> gaps_of(const GateDetectorDecision& detector, const GateCase& given,
                                 const GateLimits& limits) {
  if (!detector.required || given.evidence.releases.empty()) return {};
  std::vector<std::string> reasons;
  const GateDetector& seen = detector.seen;
  if (seen.exposures == 0) {
    std::string reason = fmt::format("{}: not exposed on {}: {}.", detector.profile,
                                     counted(given.evidence.hosts(), "host"), runs_text(seen));
    if (detector.before && detector.before->exposures > 0) {
      reason += fmt::format(" It had {} on the kernel to compare with; what it found there it cannot find here.",
                            counted(detector.before->exposures, "exposure"));
    }
    return {reason};
  }
  if (seen.exposures < limits.min_exposures) {
    reasons.push_back(fmt::format("{}: {}; at least {} are asked for (--min-exposures).", detector.profile,
                                  counted(seen.exposures, "exposure"), format_count(limits.min_exposures)));
  }
  if (seen.exposed_hosts < limits.min_hosts) {
    reasons.push_back(fmt::format("{}: {} with exposures; at least {} are asked for (--min-hosts).", detector.profile,
                                  counted(seen.exposed_hosts, "host"), format_count(limits.min_hosts)));
  }
  return reasons;
}

std::vector<GateKind> kinds_of(const GateDetector& seen, const std::optional<GateDetector>& before) {
  std::set<std::string> names;
  for (const auto* detector : {&seen, before ? &*before : nullptr}) {
    if (detector == nullptr) continue;
    for (const auto& [kind, count] : detector->findings) {
      if (count > 0) names.insert(kind);
    }
  }
  std::vector<GateKind> kinds;
  for (const std::string& name : names) {
    GateKind kind;
    kind.kind = name;
    kind.count = seen.of_kind(name);
    if (const auto hosts = seen.finding_hosts.find(name); hosts != seen.finding_hosts.end()) kind.hosts = hosts->second;
    kind.rate = rate_interval_95(kind.count, seen.exposures);
    if (before) {
      kind.count_before = before->of_kind(name);
      kind.ratio = rate_ratio_95(kind.count, seen.exposures, kind.count_before, before->exposures);
    }
    kinds.push_back(std::move(kind));
  }
  return kinds;
}

}  // namespace

std::string counted(std::uint64_t count, const std::string& noun) {
  return fmt::format("{} {}{}", format_count(count), noun, count == 1 ? "" : "s");
}

std::vector<GateDetectorDecision> judge_detectors(const GateCase& given, const GateLimits& limits) {
  const std::set<std::string> required = required_ones(given, limits);
  std::set<std::string> names = required;
  for (const GateDetector& detector : given.evidence.detectors) names.insert(detector.profile);
  if (given.before) {
    for (const GateDetector& detector : given.before->detectors) names.insert(detector.profile);
  }
  std::vector<GateDetectorDecision> decisions;
  for (const std::string& name : names) {
    GateDetectorDecision decision;
    decision.profile = name;
    decision.required = required.contains(name);
    decision.seen.profile = name;
    if (const GateDetector* seen = given.evidence.find(name)) decision.seen = *seen;
    if (const GateDetector* before = given.before ? given.before->find(name) : nullptr) decision.before = *before;
    decision.upper_bound_95 = rate_upper_bound_95(decision.seen.corruption(), decision.seen.exposures);
    decision.kinds = kinds_of(decision.seen, decision.before);
    decision.gaps = gaps_of(decision, given, limits);
    decisions.push_back(std::move(decision));
  }
  std::ranges::stable_partition(decisions, &GateDetectorDecision::required);
  return decisions;
}

}  // namespace writecanary::cli
