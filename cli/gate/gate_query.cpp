#include "cli/gate/gate_query.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

namespace writecanary::cli {
namespace {

// How far back a value from before the window may be: scrapes fail now and then.
constexpr char kGap[] = "15m";

std::uint64_t whole(double value) { return value <= 0 ? 0 : static_cast<std::uint64_t>(std::llround(value)); }

std::string label(const Sample& sample, const std::string& name) {
  const auto found = sample.labels.find(name);
  return found == sample.labels.end() ? "" : found->second;
}

// Of an expression with at most one series.
std::uint64_t count(const Prometheus& prometheus, const std::string& expression) {
  const auto samples = prometheus.query(expression);
  return samples.empty() ? 0 : whole(samples.front().value);
}

// The questions about one kernel: what all of them have in common.
class Asking {
 public:
  Asking(const Prometheus& prometheus, const GateQuestion& question, const std::string& kernel)
      : prometheus_(prometheus),
        window_(question.window),
        matchers_("release=~" + promql_string(kernel) + (question.matchers.empty() ? "" : "," + question.matchers)) {}

  std::string kernel(const std::string& more = "") const { return "{" + matchers_ + more + "}"; }
  std::string grown(const std::string& metric, const std::string& more = "") const {
    return growth(metric, kernel(more), window_);
  }
  std::vector<Sample> ask(const std::string& expression) const { return prometheus_.query(expression); }
  std::uint64_t hosts_with(const std::string& expression) const {
    return count(prometheus_, fmt::format("count(sum by (job, instance) ({}) > 0)", expression));
  }

  GateEvidence evidence() const;

 private:
  std::vector<GateRelease> releases() const;
  std::vector<GateDetector> detectors() const;

  const Prometheus& prometheus_;
  std::chrono::milliseconds window_;
  std::string matchers_;
};

std::vector<GateRelease> Asking::releases() const {
  std::map<std::string, GateRelease> by_name;
  const std::string info = fmt::format("last_over_time(writecanary_kernel_info{}[{}ms])", kernel(), window_.count());
  for (const Sample& sample : ask(fmt::format("count by (release) ({})", info))) {
    by_name[label(sample, "release")].hosts = whole(sample.value);
  }
  for (const Sample& sample : ask(fmt::format("sum by (release) ({})", grown("writecanary_kernel_exposures_total")))) {
    by_name[label(sample, "release")].exposures = whole(sample.value);
  }
  std::vector<GateRelease> releases;
  for (auto& [name, row] : by_name) {
    row.release = name;
    releases.push_back(row);
  }
  return releases;
}

std::vector<GateDetector> Asking::detectors() const {
  std::map<std::string, GateDetector> by_name;
  const std::string exposures = grown("writecanary_kernel_exposures_total");
  const std::string findings = grown("writecanary_kernel_findings_total");
  for (const Sample& sample : ask(fmt::format("sum by (profile) ({})", exposures))) {
    by_name[label(sample, "profile")].exposures = whole(sample.value);
  }
  for (const Sample& sample :
       ask(fmt::format("count by (profile) (sum by (job, instance, profile) ({}) > 0)", exposures))) {
    by_name[label(sample, "profile")].exposed_hosts = whole(sample.value);
  }
  for (const Sample& sample : ask(fmt::format("sum by (profile, kind) ({})", findings))) {
    by_name[label(sample, "profile")].findings[label(sample, "kind")] = whole(sample.value);
  }
  for (const Sample& sample :
       ask(fmt::format("count by (profile, kind) (sum by (job, instance, profile, kind) ({}) > 0)", findings))) {
    by_name[label(sample, "profile")].finding_hosts[label(sample, "kind")] = whole(sample.value);
  }
  for (const Sample& sample :
       ask(fmt::format("sum by (profile, verdict) ({})", grown("writecanary_kernel_runs_total")))) {
    by_name[label(sample, "profile")].runs[label(sample, "verdict")] = whole(sample.value);
  }
  std::vector<GateDetector> detectors;
  for (auto& [name, detector] : by_name) {
    detector.profile = name;
    detectors.push_back(std::move(detector));
  }
  return detectors;
}

GateEvidence Asking::evidence() const {
  GateEvidence evidence;
  evidence.releases = releases();
  evidence.detectors = detectors();
  evidence.exposed_hosts = hosts_with(grown("writecanary_kernel_exposures_total"));
  evidence.corrupt_hosts =
      hosts_with(grown("writecanary_kernel_findings_total", ",kind!~\"torn|nowait_contract|stuck\""));
  // Now, not within the window: a host that was repaired has new evidence.
  evidence.blind_hosts = count(
      prometheus_,
      fmt::format("count((writecanary_self_test_ok == 0) and on (job, instance) writecanary_kernel_info{})", kernel()));
  return evidence;
}

}  // namespace

std::string growth(const std::string& metric, const std::string& selector, std::chrono::milliseconds window) {
  const std::string last = fmt::format("last_over_time({}{}[{}ms])", metric, selector, window.count());
  const std::string before =
      fmt::format("last_over_time({}{}[{}] offset {}ms)", metric, selector, kGap, window.count());
  return fmt::format("(({} - {}) >= 0 or {})", last, before, last);
}

GateCase gather(const Prometheus& prometheus, const GateQuestion& question) {
  GateCase given;
  given.evidence = Asking(prometheus, question, question.kernel).evidence();
  if (!question.compare.empty()) {
    given.before = Asking(prometheus, question, question.compare).evidence();
    return given;
  }
  const Asking any(prometheus, question, ".*");
  for (const Sample& sample :
       any.ask(fmt::format("sum by (profile) ({}) > 0", any.grown("writecanary_kernel_exposures_total")))) {
    if (const auto profile = label(sample, "profile"); !profile.empty()) given.exposed_anywhere.push_back(profile);
  }
  return given;
}

}  // namespace writecanary::cli
