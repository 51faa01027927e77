#include "cli/gate/gate_decision.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/gate/gate_detectors.h"
#include "cli/terminal/text.h"
#include "core/run/finding.h"

namespace writecanary::cli {
namespace {

const std::string kDuplicate(to_string(FindingKind::kDuplicate));
const std::string kTorn(to_string(FindingKind::kTorn));
const std::string kContract(to_string(FindingKind::kNowaitContract));
const std::string kStuck(to_string(FindingKind::kStuck));

// Why it is corrupt; empty when it is not.
std::vector<std::string> corruptions(const GateEvidence& evidence, const GateLimits& limits) {
  std::vector<std::string> reasons;
  for (const auto& [kind, count] : evidence.findings()) {
    if (!is_corruption(kind) || kind == kDuplicate || count == 0) continue;
    reasons.push_back(fmt::format("{} of kind {}; none is tolerated.", counted(count, "finding"), kind));
  }
  const std::uint64_t duplicates = evidence.of_kind(kDuplicate);
  if (duplicates > limits.max_duplicates) {
    reasons.push_back(fmt::format("{}; at most {} tolerated (--max-duplicates).", counted(duplicates, "duplicate"),
                                  format_count(limits.max_duplicates)));
  }
  if (!reasons.empty()) reasons.push_back(fmt::format("{} affected.", counted(evidence.corrupt_hosts, "host")));
  return reasons;
}

// Which promises it breaks; empty when it breaks none.
std::vector<std::string> violations(const GateEvidence& evidence, const GateLimits& limits) {
  std::vector<std::string> reasons;
  if (const std::uint64_t broken = evidence.of_kind(kContract); broken > 0) {
    reasons.push_back(
        fmt::format("{} with RWF_NOWAIT changed a file by something else than it returned: whoever retries such a "
                    "write, as io_uring does, writes twice.",
                    counted(broken, "call")));
  }
  if (const std::uint64_t torn = evidence.of_kind(kTorn); torn > limits.max_torn) {
    reasons.push_back(
        fmt::format("{}: appends of several writers interleave on this kernel; at most {} tolerated "
                    "(--max-torn).",
                    counted(torn, "torn append"), format_count(limits.max_torn)));
  }
  return reasons;
}

std::set<std::string> refused_kinds(const GateEvidence& evidence, const GateLimits& limits) {
  std::set<std::string> kinds;
  for (const auto& [kind, count] : evidence.findings()) {
    const std::uint64_t tolerated = kind == kDuplicate ? limits.max_duplicates : kind == kTorn ? limits.max_torn : 0;
    const bool is_judged = is_corruption(kind) || (kind != kStuck && limits.fail_on == FailOn::kViolation);
    if (is_judged && count > tolerated) kinds.insert(kind);
  }
  return kinds;
}

// What is missing for the whole; what is missing for one detector is said there.
std::vector<std::string> general_gaps(const GateCase& given, bool nothing_required) {
  const GateEvidence& evidence = given.evidence;
  if (evidence.releases.empty()) {
    return {"No host ran such a kernel within the window, as far as this Prometheus knows."};
  }
  std::vector<std::string> reasons;
  if (given.before && given.before->releases.empty()) {
    reasons.emplace_back(
        "No host ran the kernel to compare with within the window, so nothing can be held against it.");
  } else if (given.before && given.before->exposures() == 0) {
    reasons.emplace_back("The kernel to compare with was never exposed, so nothing can be held against it.");
  }
  if (evidence.exposures() == 0) {
    reasons.push_back(
        fmt::format("No exposure on {}: not one write reached the kernel path that its profile watches. "
                    "No findings mean nothing then.",
                    counted(evidence.hosts(), "host")));
  } else if (nothing_required && reasons.empty()) {
    reasons.emplace_back("No detector is required, so nothing is proven.");
  }
  if (evidence.blind_hosts > 0) {
    reasons.push_back(
        fmt::format("The canary's own detectors failed their self-test on {}: what it did not find "
                    "there proves nothing.",
                    counted(evidence.blind_hosts, "host")));
  }
  if (const std::uint64_t stuck = evidence.of_kind(kStuck); stuck > 0) {
    reasons.push_back(fmt::format("{} in the kernel: find out why before this kernel goes anywhere.",
                                  stuck == 1 ? std::string("A probe hung") : counted(stuck, "probe") + " hung"));
  }
  return reasons;
}

void append(std::vector<std::string>& to, const std::vector<std::string>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

std::string what_passed(const GateDetectorDecision& detector) {
  const std::uint64_t corruption = detector.seen.corruption();
  return fmt::format("{}: {} in {} on {}: with 95 % confidence the rate is below {:.2g} per exposure{}.",
                     detector.profile, corruption == 0 ? "no corruption" : counted(corruption, "tolerated finding"),
                     counted(detector.seen.exposures, "exposure"), counted(detector.seen.exposed_hosts, "host"),
                     *detector.upper_bound_95, corruption == 0 ? " (rule of three)" : "");
}

// Of the required ones; nothing when one of them has none, or there is none.
std::optional<double> largest_bound(const std::vector<GateDetectorDecision>& detectors) {
  std::optional<double> largest;
  for (const GateDetectorDecision& detector : detectors) {
    if (!detector.required) continue;
    if (!detector.upper_bound_95) return std::nullopt;
    largest = std::max(largest.value_or(0), *detector.upper_bound_95);
  }
  return largest;
}

}  // namespace

GateDecision decide(const GateCase& given, const GateLimits& limits) {
  GateDecision decision;
  decision.detectors = judge_detectors(given, limits);
  decision.upper_bound_95 = largest_bound(decision.detectors);
  const bool nothing_required = std::ranges::none_of(decision.detectors, &GateDetectorDecision::required);
  const std::vector<std::string> corrupt = corruptions(given.evidence, limits);
  const std::vector<std::string> broken = violations(given.evidence, limits);
  decision.general_gaps = general_gaps(given, nothing_required);
  std::vector<std::string> thin = decision.general_gaps;
  for (const GateDetectorDecision& detector : decision.detectors) append(thin, detector.gaps);

  decision.refused_kinds = refused_kinds(given.evidence, limits);

  decision.verdict = Verdict::kClean;
  if (!thin.empty() || !decision.upper_bound_95) decision.verdict = Verdict::kUnexposed;
  if (!broken.empty() && limits.fail_on == FailOn::kViolation) decision.verdict = Verdict::kViolation;
  if (!corrupt.empty()) decision.verdict = Verdict::kCorrupt;

  // All of it, the worst first: what is missing is worth knowing of a kernel that is refused, too.
  append(decision.reasons, corrupt);
  append(decision.reasons, broken);
  if (!broken.empty() && limits.fail_on == FailOn::kCorrupt) {
    decision.reasons.emplace_back("These violations are not judged (--fail-on corrupt).");
  }
  append(decision.reasons, thin);
  if (decision.verdict != Verdict::kClean) return decision;
  for (const GateDetectorDecision& detector : decision.detectors) {
    if (detector.required) decision.reasons.push_back(what_passed(detector));
  }
  return decision;
}

}  // namespace writecanary::cli
