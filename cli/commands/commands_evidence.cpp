#include "cli/commands/commands_evidence.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
#include <vector>

#include "cli/check/check.h"
#include "cli/commands/fields.h"
#include "cli/terminal/run_view.h"
#include "cli/terminal/table.h"
#include "core/base/error.h"
#include "core/base/json_fields.h"
#include "core/base/json_text.h"
#include "core/process/probe_process.h"
#include "core/process/self_test.h"
#include "core/report/reproducer/reproducer.h"
#include "core/run/evidence_document.h"
#include "core/run/protocol.h"

namespace writecanary::cli {
namespace {

// The largest kept file takes a second; a loaded machine is slower.
constexpr std::chrono::seconds kExplainTimeout{60};

// What was typed, as it is kept: a path without evidence is a mistake of the one who typed it.
nlohmann::json named_evidence(const std::string& path) {
  try {
    return read_evidence(path);
  } catch (const SystemError& error) {
    if (error.error_number() != ENOENT && error.error_number() != ENOTDIR) throw;
    throw UsageError(fmt::format("{}. Give the path of a kept file or of its evidence", error.what()));
  } catch (const ProtocolError& error) {
    throw UsageError(error.what());
  }
}

// The spec of the run that the evidence is of, made ready to run once more.
RunSpec spec_of(const nlohmann::json& evidence, const std::string& source, const std::string& path) {
  const nlohmann::json run = evidence.at("parts").value("run", nlohmann::json());
  if (!run.is_object() || !run.contains("spec")) {
    throw UsageError(source + ": this evidence does not say what was run: it has no \"run\"");
  }
  auto spec = run.at("spec").get<RunSpec>();
  spec.run_id = fmt::format("replay-{}", getpid());
  spec.evidence_directory.clear();
  spec.require_mount = false;
  spec.expected_fstype.clear();
  if (path.empty()) return spec;
  std::error_code error;
  spec.path = std::filesystem::canonical(path, error);
  if (error) throw UsageError(fmt::format("{}: {}. Give a directory to run on", path, error_text(error.value())));
  return spec;
}

std::set<FindingKind> kinds_of(const nlohmann::json& findings) {
  std::set<FindingKind> kinds;
  for (const nlohmann::json& finding : findings.is_array() ? findings : nlohmann::json::array()) {
    if (const auto kind = parse_finding_kind(text_field(finding, "kind"))) kinds.insert(*kind);
  }
  return kinds;
}

std::string names_of(const std::set<FindingKind>& kinds) {
  std::string names;
  for (const FindingKind kind : kinds) names += fmt::format("{}{}", names.empty() ? "" : ", ", to_string(kind));
  return names;
}

bool reproduced(const std::set<FindingKind>& kinds, const RunResult& run) {
  return std::ranges::any_of(kinds, [&](FindingKind kind) { return run.end.tally.count_of(kind) > 0; });
}

void print_explanation(const Environment& environment, const nlohmann::json& document) {
  environment.out << printable(fmt::format("{}: {} of {} bytes judged against the log of its writes; findings: {}",
                                           text_field(document, "file"), count_field(document, "bytes_verified"),
                                           count_field(document, "size_bytes"),
                                           counts_field(document, "finding_counts")))
                  << "\n\n";
  for (const nlohmann::json& item : inner(document, "findings")) {
    const auto finding = item.get<Finding>();
    environment.out << "  " << format_finding(finding) << "\n    " << printable(finding.detail) << '\n';
  }
  for (const nlohmann::json& name : inner(document, "tampered")) {
    environment.out << styled("! ", Style::kBad, environment.colour) << printable(name.get<std::string>())
                    << ": not as it was kept (its SHA-256 is another)\n";
  }
  environment.out << (flag_field(document, "same_as_reported") ? "\nThe same findings as the run reported.\n"
                                                               : "\nNOT the findings that the run reported.\n");
}

}  // namespace

int explain_file(const Environment& environment, const std::string& path, FailOn fail_on, bool json) {
  named_evidence(path);
  const std::string text = probe_output(probe_program(), {"--explain", path}, kExplainTimeout);
  const nlohmann::json document = nlohmann::json::parse(text);
  if (json) {
    environment.out << text;
  } else {
    print_explanation(environment, document);
  }
  FindingTally tally;
  for (const auto& [name, count] : inner(document, "finding_counts").items()) {
    if (const auto kind = parse_finding_kind(name)) tally.add(*kind, 0);
  }
  return exit_code(taken_as(tally.verdict().value_or(Verdict::kClean), fail_on));
}

int replay(const Environment& environment, const std::string& evidence, const std::string& path, FailOn fail_on,
           bool json) {
  const nlohmann::json document = named_evidence(evidence);
  const RunSpec spec = spec_of(document, evidence, path);
  const std::set<FindingKind> kinds = kinds_of(document.at("parts").value("findings", nlohmann::json()));
  const std::vector<RunResult> runs = make_runs(environment, {spec});
  const bool again = reproduced(kinds, runs.front());
  if (json) {
    nlohmann::json answer = check_document(spec.path, runs);
    answer["reproduced"] = again;
    answer["wanted_kinds"] = nlohmann::json::array();
    for (const FindingKind kind : kinds) answer["wanted_kinds"].push_back(to_string(kind));
    environment.out << json_text(answer, 2) << '\n';
  } else {
    print_check(environment, spec.path, runs);
    environment.out << fmt::format("{}: {} (the evidence has {}; this run: {})\n",
                                   again ? "Reproduced" : "Not reproduced", spec.profile, names_of(kinds),
                                   format_counts(runs.front().end.tally));
  }
  return exit_code_of(runs, fail_on);
}

int reproducer_of_evidence(const Environment& environment, const std::string& evidence) {
  const nlohmann::json document = named_evidence(evidence);
  const nlohmann::json& parts = document.at("parts");
  const nlohmann::json findings = parts.value("findings", nlohmann::json());
  if (!findings.is_array() || findings.empty()) throw UsageError(evidence + ": this evidence has no finding");
  const auto finding = findings.front().get<Finding>();
  const RunSpec spec = spec_of(document, evidence, "");
  const KernelFacts kernel{.release = text_field(inner(parts, "kernel"), "release"),
                           .version = text_field(inner(parts, "kernel"), "version"),
                           .machine = text_field(inner(parts, "kernel"), "machine")};
  FilesystemFacts filesystem;
  filesystem.type = text_field(inner(parts, "mount"), "type");
  const Reproducer made =
      make_reproducer({.finding = finding, .spec = spec, .kernel = kernel, .filesystem = filesystem});
  if (made.source.empty()) throw UsageError(evidence + ": " + made.refusal);
  environment.out << made.source;
  return 0;
}

int self_test(const Environment& environment, bool json) {
  const SelfTest test = run_self_test(probe_program(), to_unix_ms(environment.clock.now()));
  if (json) {
    environment.out << json_text(test, 2) << '\n';
    return test.ok() ? 0 : kExitFailed;
  }
  if (!test.error.empty()) throw CommandError(kExitFailed, "the self-test did not run: " + test.error);
  Table table({{"DETECTOR"}, {"DETECTED"}, {"EXACT PLACE"}, {"SILENT ON CLEAN"}, {"DETAIL"}});
  const auto answer = [](bool good) { return Cell(good ? "yes" : "NO", good ? Style::kGood : Style::kBad); };
  for (const DetectorTest& detector : test.detectors) {
    table.add({std::string(to_string(detector.kind)), answer(detector.detected), answer(detector.exact),
               answer(detector.silent_on_clean), detector.detail});
  }
  environment.out << table.render(environment.out_columns(), environment.colour);
  environment.out << (test.ok()
                          ? "\nEvery detector sees.\n"
                          : "\nA detector is blind or sees what is not there: do not trust this build's verdicts.\n");
  return test.ok() ? 0 : kExitFailed;
}

}  // namespace writecanary::cli
