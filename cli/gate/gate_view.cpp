#include "cli/gate/gate_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "cli/gate/gate_detectors.h"
#include "cli/terminal/table.h"
#include "core/host/host_facts.h"
#include "core/text/units.h"

namespace writecanary::cli {
namespace {

using nlohmann::json;

template <typename T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json();
}

json releases_document(const GateEvidence& evidence) {
  json releases = json::array();
  for (const GateRelease& row : evidence.releases) {
    releases.push_back({{"release", row.release}, {"hosts", row.hosts}, {"exposures", row.exposures}});
  }
  return releases;
}

json kind_document(const GateKind& kind, const GateDetectorDecision& detector) {
  json document = {{"kind", kind.kind}, {"count", kind.count}, {"hosts", kind.hosts}};
  const std::uint64_t exposures = detector.seen.exposures;
  document["rate"] = exposures == 0 ? json() : json(static_cast<double>(kind.count) / static_cast<double>(exposures));
  document["rate_low_95"] = kind.rate ? json(kind.rate->low) : json();
  document["rate_high_95"] = kind.rate ? json(kind.rate->high) : json();
  document["count_before"] = detector.before ? json(kind.count_before) : json();
  document["ratio"] = kind.ratio ? or_null(kind.ratio->ratio) : json();
  document["ratio_low_95"] = kind.ratio ? json(kind.ratio->low) : json();
  document["ratio_high_95"] = kind.ratio ? or_null(kind.ratio->high) : json();
  return document;
}

json detector_document(const GateDetectorDecision& detector) {
  json kinds = json::array();
  for (const GateKind& kind : detector.kinds) kinds.push_back(kind_document(kind, detector));
  return {{"profile", detector.profile},
          {"required", detector.required},
          {"exposures", detector.seen.exposures},
          {"exposed_hosts", detector.seen.exposed_hosts},
          {"runs_by_verdict", detector.seen.runs},
          {"exposures_before", detector.before ? json(detector.before->exposures) : json()},
          {"rate_upper_bound_95", or_null(detector.upper_bound_95)},
          {"findings", std::move(kinds)},
          {"reasons", detector.gaps}};
}

std::string interval_text(double value, double low, const std::optional<double>& high) {
  return fmt::format("{:.2g} ({:.2g} to {})", value, low, high ? fmt::format("{:.2g}", *high) : "any");
}

// What its findings come to, one sentence for each kind.
std::vector<std::string> findings_text(const GateDetectorDecision& detector) {
  std::vector<std::string> lines;
  for (const GateKind& kind : detector.kinds) {
    std::string line =
        fmt::format("{} on {}", counted(kind.count, kind.kind + " finding"), counted(kind.hosts, "host"));
    if (kind.rate) {
      const double rate = static_cast<double>(kind.count) / static_cast<double>(detector.seen.exposures);
      line += ", " + interval_text(rate, kind.rate->low, kind.rate->high) + " per exposure";
    }
    if (detector.before) line += fmt::format("; {} before", format_count(kind.count_before));
    if (kind.ratio && kind.ratio->ratio) {
      line += ", " + interval_text(*kind.ratio->ratio, kind.ratio->low, kind.ratio->high) + " times the rate then";
    } else if (kind.ratio) {
      line += fmt::format(", at least {:.2g} times the rate then", kind.ratio->low);
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string joined(const std::vector<std::string>& lines) { return fmt::format("{}", fmt::join(lines, " ")); }

// What the detector's findings come to, as far as they are more than is tolerated in sum.
Verdict verdict_of(const GateDetectorDecision& detector, const GateDecision& decision) {
  Verdict verdict = detector.gaps.empty() ? Verdict::kClean : Verdict::kUnexposed;
  for (const GateKind& kind : detector.kinds) {
    if (kind.count == 0 || !decision.refused_kinds.contains(kind.kind)) continue;
    verdict = worse(verdict, is_corruption(kind.kind) ? Verdict::kCorrupt : Verdict::kViolation);
  }
  return verdict;
}

TestCase case_of(const GateDetectorDecision& detector, const GateDecision& decision) {
  TestCase test;
  test.name = detector.profile.empty() ? "unknown profile" : detector.profile;
  const Verdict verdict = verdict_of(detector, decision);
  test.verdict = to_string(verdict);
  test.details = fmt::format("{} on {}\n", counted(detector.seen.exposures, "exposure"),
                             counted(detector.seen.exposed_hosts, "host"));
  for (const std::string& line : findings_text(detector)) test.details += line + "\n";
  if (verdict == Verdict::kCorrupt || verdict == Verdict::kViolation) {
    test.result = TestCase::Result::kFailed;
    test.reason = fmt::format("{}", fmt::join(findings_text(detector), "; "));
  } else if (verdict == Verdict::kUnexposed) {
    test.result = TestCase::Result::kError;
    test.reason = joined(detector.gaps);
  } else if (!detector.required && detector.seen.exposures == 0) {
    test.result = TestCase::Result::kSkipped;
    test.verdict = to_string(Verdict::kUnexposed);
    test.reason = "not exposed, and not required";
  } else {
    test.reason = counted(detector.seen.exposures, "exposure");
    if (detector.upper_bound_95) {
      test.reason += fmt::format(", corruption below {:.2g} per exposure", *detector.upper_bound_95);
    }
  }
  return test;
}

}  // namespace

json gate_document(const Environment& environment, const GateOptions& options, const GateCase& given,
                   const GateDecision& decision) {
  const GateEvidence& evidence = given.evidence;
  json detectors = json::array();
  json required = json::array();
  for (const GateDetectorDecision& detector : decision.detectors) {
    detectors.push_back(detector_document(detector));
    if (detector.required) required.push_back(detector.profile);
  }
  json compared;
  if (given.before) {
    compared = {{"kernel", options.question.compare},
                {"releases", releases_document(*given.before)},
                {"hosts", given.before->hosts()},
                {"exposures", given.before->exposures()},
                {"finding_counts", given.before->findings()}};
  }
  return {{"verdict", to_string(decision.verdict)},
          {"exit_code", exit_code(decision.verdict)},
          {"reasons", decision.reasons},
          {"kernel", options.question.kernel},
          {"window_seconds", static_cast<double>(options.question.window.count()) / 1000},
          {"at", format_timestamp(to_unix_ms(environment.clock.now()))},
          {"releases", releases_document(evidence)},
          {"hosts", evidence.hosts()},
          {"exposed_hosts", evidence.exposed_hosts},
          {"corrupt_hosts", evidence.corrupt_hosts},
          {"blind_hosts", evidence.blind_hosts},
          {"exposures", evidence.exposures()},
          {"duplicates", evidence.of_kind("duplicate")},
          {"torn", evidence.of_kind("torn")},
          {"finding_counts", evidence.findings()},
          {"rate_upper_bound_95", or_null(decision.upper_bound_95)},
          {"required", std::move(required)},
          {"detectors", std::move(detectors)},
          {"compare", std::move(compared)},
          {"limits",
           {{"min_exposures", options.limits.min_exposures},
            {"min_hosts", options.limits.min_hosts},
            {"max_duplicates", options.limits.max_duplicates},
            {"max_torn", options.limits.max_torn},
            {"fail_on", options.limits.fail_on == FailOn::kCorrupt ? "corrupt" : "violation"}}}};
}

void print_gate(const Environment& environment, const GateOptions& options, const GateCase& given,
                const GateDecision& decision) {
  const bool clean = decision.verdict == Verdict::kClean;
  const bool thin = decision.verdict == Verdict::kUnexposed;
  const std::string answer = clean ? "PASS" : thin ? "NOT ENOUGH EVIDENCE" : "REFUSED";
  environment.out << fmt::format("Kernel {}, the last {}: {}\n\n", printable(options.question.kernel),
                                 format_duration(options.question.window),
                                 styled(answer, style_of(decision.verdict), environment.colour));
  if (!given.evidence.releases.empty()) {
    Table table({{"RELEASE"}, {"HOSTS", true}, {"EXPOSURES", true}});
    for (const GateRelease& row : given.evidence.releases) {
      table.add({row.release, format_count(row.hosts), format_count(row.exposures)});
    }
    environment.out << table.render(environment.out_columns(), environment.colour) << '\n';
  }
  if (!decision.detectors.empty()) {
    Table table({{"DETECTOR"}, {"REQUIRED"}, {"EXPOSURES", true}, {"HOSTS", true}, {"BEFORE", true}, {"FINDINGS"}});
    for (const GateDetectorDecision& detector : decision.detectors) {
      const auto findings = findings_text(detector);
      table.add({detector.profile.empty() ? "?" : detector.profile, detector.required ? "yes" : "no",
                 format_count(detector.seen.exposures), format_count(detector.seen.exposed_hosts),
                 detector.before ? format_count(detector.before->exposures) : "",
                 findings.empty() ? "none" : fmt::format("{}", fmt::join(findings, "; "))});
    }
    environment.out << table.render(environment.out_columns(), environment.colour) << '\n';
  }
  const auto width = static_cast<std::size_t>(environment.out_columns());
  for (const std::string& reason : decision.reasons) {
    std::string indent = "- ";
    for (const std::string& line : wrap(printable(reason), width > 4 ? width - 2 : 0)) {
      environment.out << indent << line << '\n';
      indent = "  ";
    }
  }
}

TestSuite gate_suite(const Environment& environment, const GateOptions& options, const GateCase& given,
                     const GateDecision& decision) {
  TestSuite suite;
  suite.name = "writecanary.gate";
  suite.hostname = host_name();
  suite.at_ms = to_unix_ms(environment.clock.now());
  suite.facts = {{"prometheus", options.prometheus},
                 {"kernel", options.question.kernel},
                 {"compare", options.question.compare},
                 {"window", format_duration(options.question.window)},
                 {"verdict", std::string(to_string(decision.verdict))}};
  for (const GateRelease& row : given.evidence.releases) {
    suite.facts.emplace_back("release " + row.release,
                             fmt::format("{}, {}", counted(row.hosts, "host"), counted(row.exposures, "exposure")));
  }
  TestCase whole;
  whole.name = "fleet";
  whole.verdict = to_string(decision.general_gaps.empty() ? Verdict::kClean : Verdict::kUnexposed);
  whole.result = decision.general_gaps.empty() ? TestCase::Result::kPassed : TestCase::Result::kError;
  whole.reason =
      decision.general_gaps.empty() ? counted(given.evidence.hosts(), "host") : joined(decision.general_gaps);
  suite.cases.push_back(std::move(whole));
  for (const GateDetectorDecision& detector : decision.detectors) suite.cases.push_back(case_of(detector, decision));
  return suite;
}

}  // namespace writecanary::cli
