#include "cli/gate/gate_query.h"

#include <fmt/format.h>

#include <cmath>

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

}  // namespace

std::string growth(const std::string& metric, const std::string& selector, std::chrono::milliseconds window) {
  const std::string last = fmt::format("last_over_time({}{}[{}ms])", metric, selector, window.count());
  const std::string before =
      fmt::format("last_over_time({}{}[{}] offset {}ms)", metric, selector, kGap, window.count());
  return fmt::format("(({} - {}) >= 0 or {})", last, before, last);
}

GateEvidence gather(const Prometheus& prometheus, const GateQuestion& question) {
  const std::string release = "release=~" + promql_string(question.kernel);
  const std::string more = question.matchers.empty() ? "" : "," + question.matchers;
  const std::string kernel = "{" + release + more + "}";
  const std::string corruption = "{" + release + ",kind!~\"torn|nowait_contract|stuck\"" + more + "}";
  const std::string info =
      fmt::format("last_over_time(writecanary_kernel_info{}[{}ms])", kernel, question.window.count());
  const std::string exposures = growth("writecanary_kernel_exposures_total", kernel, question.window);

  GateEvidence evidence;
  std::map<std::string, GateRelease> releases;
  for (const Sample& sample : prometheus.query(fmt::format("count by (release) ({})", info))) {
    releases[label(sample, "release")].hosts = whole(sample.value);
  }
  for (const Sample& sample : prometheus.query(fmt::format("sum by (release) ({})", exposures))) {
    releases[label(sample, "release")].exposures = whole(sample.value);
  }
  for (auto& [name, row] : releases) {
    row.release = name;
    evidence.releases.push_back(row);
  }
  evidence.exposed_hosts = count(prometheus, fmt::format("count(sum by (job, instance) ({}) > 0)", exposures));
  for (const Sample& sample : prometheus.query(
           fmt::format("sum by (kind) ({})", growth("writecanary_kernel_findings_total", kernel, question.window)))) {
    evidence.findings[label(sample, "kind")] = whole(sample.value);
  }
  evidence.corrupt_hosts =
      count(prometheus, fmt::format("count(sum by (job, instance) ({}) > 0)",
                                    growth("writecanary_kernel_findings_total", corruption, question.window)));
  // Now, not within the window: a host that was repaired has new evidence.
  evidence.blind_hosts = count(
      prometheus,
      fmt::format("count((writecanary_self_test_ok == 0) and on (job, instance) writecanary_kernel_info{})", kernel));
  return evidence;
}

}  // namespace writecanary::cli
