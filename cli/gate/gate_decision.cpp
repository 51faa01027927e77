#include "cli/gate/gate_decision.h"

#include <fmt/format.h>

#include "cli/terminal/text.h"
#include "core/base/upper_bound.h"
#include "core/run/finding.h"

namespace writecanary::cli {
namespace {

const std::string kDuplicate(to_string(FindingKind::kDuplicate));
const std::string kTorn(to_string(FindingKind::kTorn));
const std::string kContract(to_string(FindingKind::kNowaitContract));
const std::string kStuck(to_string(FindingKind::kStuck));

bool is_corruption(const std::string& kind) {
  const auto known = parse_finding_kind(kind);
  return !known || class_of(*known) == FindingClass::kCorruption;
}

std::string count_of(std::uint64_t count, const std::string& noun) {
  return fmt::format("{} {}{}", format_count(count), noun, count == 1 ? "" : "s");
}

// Why it is corrupt; empty when it is not.
std::vector<std::string> corruptions(const GateEvidence& evidence, const GateLimits& limits) {
  std::vector<std::string> reasons;
  for (const auto& [kind, count] : evidence.findings) {
    if (!is_corruption(kind) || kind == kDuplicate || count == 0) continue;
    reasons.push_back(fmt::format("{} of kind {}; none is tolerated.", count_of(count, "finding"), kind));
  }
  const std::uint64_t duplicates = evidence.of_kind(kDuplicate);
  if (duplicates > limits.max_duplicates) {
    reasons.push_back(fmt::format("{}; at most {} tolerated (--max-duplicates).", count_of(duplicates, "duplicate"),
                                  format_count(limits.max_duplicates)));
  }
  if (!reasons.empty()) {
    reasons.push_back(fmt::format("{} affected.", count_of(evidence.corrupt_hosts, "host")));
  }
  return reasons;
}

// Which promises it breaks; empty when it breaks none.
std::vector<std::string> violations(const GateEvidence& evidence, const GateLimits& limits) {
  std::vector<std::string> reasons;
  if (const std::uint64_t broken = evidence.of_kind(kContract); broken > 0) {
    reasons.push_back(
        fmt::format("{} with RWF_NOWAIT changed a file by something else than it returned: whoever retries such a "
                    "write, as io_uring does, writes twice.",
                    count_of(broken, "call")));
  }
  if (const std::uint64_t torn = evidence.of_kind(kTorn); torn > limits.max_torn) {
    reasons.push_back(
        fmt::format("{}: appends of several writers interleave on this kernel; at most {} tolerated "
                    "(--max-torn).",
                    count_of(torn, "torn append"), format_count(limits.max_torn)));
  }
  return reasons;
}

// Why the evidence does not suffice; empty when it does.
std::vector<std::string> gaps(const GateEvidence& evidence, const GateLimits& limits) {
  if (evidence.releases.empty()) {
    return {"No host ran such a kernel within the window, as far as this Prometheus knows."};
  }
  std::vector<std::string> reasons;
  const std::uint64_t exposures = evidence.exposures();
  if (exposures == 0) {
    reasons.push_back(
        fmt::format("No exposure on {}: not one write reached the kernel path that its profile watches. "
                    "No findings mean nothing then.",
                    count_of(evidence.hosts(), "host")));
  } else if (exposures < limits.min_exposures) {
    reasons.push_back(fmt::format("{}; at least {} are asked for (--min-exposures).", count_of(exposures, "exposure"),
                                  format_count(limits.min_exposures)));
  }
  if (evidence.exposed_hosts < limits.min_hosts) {
    reasons.push_back(fmt::format("{} with exposures; at least {} are asked for (--min-hosts).",
                                  count_of(evidence.exposed_hosts, "host"), format_count(limits.min_hosts)));
  }
  if (evidence.blind_hosts > 0) {
    reasons.push_back(
        fmt::format("The canary's own detectors failed their self-test on {}: what it did not find "
                    "there proves nothing.",
                    count_of(evidence.blind_hosts, "host")));
  }
  if (const std::uint64_t stuck = evidence.of_kind(kStuck); stuck > 0) {
    reasons.push_back(fmt::format("{} in the kernel: find out why before this kernel goes anywhere.",
                                  stuck == 1 ? std::string("A probe hung") : count_of(stuck, "probe") + " hung"));
  }
  return reasons;
}

void append(std::vector<std::string>& to, const std::vector<std::string>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

std::vector<std::string> what_passed(const GateEvidence& evidence, double bound) {
  std::vector<std::string> reasons;
  const std::uint64_t corruption = evidence.corruption();
  reasons.push_back(fmt::format("{} in {} on {}: with 95 % confidence the rate is below {:.2g} per exposure{}.",
                                corruption == 0 ? "No corruption" : count_of(corruption, "tolerated finding"),
                                count_of(evidence.exposures(), "exposure"), count_of(evidence.exposed_hosts, "host"),
                                bound, corruption == 0 ? " (rule of three)" : ""));
  return reasons;
}

}  // namespace

std::uint64_t GateEvidence::hosts() const {
  std::uint64_t sum = 0;
  for (const GateRelease& release : releases) sum += release.hosts;
  return sum;
}

std::uint64_t GateEvidence::exposures() const {
  std::uint64_t sum = 0;
  for (const GateRelease& release : releases) sum += release.exposures;
  return sum;
}

std::uint64_t GateEvidence::of_kind(const std::string& kind) const {
  const auto found = findings.find(kind);
  return found == findings.end() ? 0 : found->second;
}

std::uint64_t GateEvidence::corruption() const {
  std::uint64_t sum = 0;
  for (const auto& [kind, count] : findings) sum += is_corruption(kind) ? count : 0;
  return sum;
}

GateDecision decide(const GateEvidence& evidence, const GateLimits& limits) {
  GateDecision decision;
  decision.upper_bound_95 = rate_upper_bound_95(evidence.corruption(), evidence.exposures());
  const std::vector<std::string> corrupt = corruptions(evidence, limits);
  const std::vector<std::string> broken = violations(evidence, limits);
  const std::vector<std::string> thin = gaps(evidence, limits);
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
  if (decision.verdict == Verdict::kClean) append(decision.reasons, what_passed(evidence, *decision.upper_bound_95));
  return decision;
}

}  // namespace writecanary::cli
