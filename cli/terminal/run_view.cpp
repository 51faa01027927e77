#include "cli/terminal/run_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/terminal/table.h"
#include "cli/terminal/text.h"
#include "core/base/error.h"
#include "core/base/json_fields.h"
#include "core/run/seed.h"
#include "core/text/units.h"

namespace writecanary::cli {
namespace {

constexpr std::size_t kFindingsShown = 5;
constexpr std::size_t kIndent = 2;
constexpr int kTableColumns = 120;  // where there is no terminal; what does not fit stands beneath

void read_tally(const nlohmann::json& document, const char* key, std::array<std::uint64_t, kFindingKindCount>& values) {
  std::map<std::string, std::int64_t> by_kind;
  JsonFields(document, "run").accept(key, by_kind);
  for (const auto& [name, value] : by_kind) {
    if (const auto kind = parse_finding_kind(name)) {
      values[static_cast<std::size_t>(*kind)] = static_cast<std::uint64_t>(value);
    }
  }
}

std::vector<Cell> row_of(const RunResult& run) {
  const RunEnd& end = run.end;
  return {run.profile,
          {std::string(to_string(end.verdict)), style_of(end.verdict)},
          format_count(end.counters.writes),
          format_count(end.counters.exposures),
          format_count(end.tally.total()),
          format_seconds(end.duration_seconds),
          end.reason};
}

void print_indented(const Environment& environment, const std::string& text) {
  const int columns = environment.out_columns();
  const std::size_t width = columns > static_cast<int>(kIndent) ? static_cast<std::size_t>(columns) - kIndent : 0;
  for (const std::string& line : wrap(text, width)) environment.out << std::string(kIndent, ' ') << line << '\n';
}

// What the table has no room for: the reason in full, what was found, how to see it again.
void print_details(const Environment& environment, const RunResult& run, const std::string& table) {
  const Verdict verdict = run.end.verdict;
  const std::string reason = printable(run.end.reason);
  const bool shown_in_table = table.find(reason) != std::string::npos;
  if (shown_in_table && run.end.tally.total() == 0) return;
  environment.out << '\n'
                  << styled(run.profile, Style::kBold, environment.colour) << ": "
                  << styled(to_string(verdict), style_of(verdict), environment.colour) << '\n';
  if (!shown_in_table) print_indented(environment, reason);
  if (run.end.tally.total() == 0) return;
  print_indented(environment, fmt::format("seed {}, findings: {}", run.seed, format_counts(run.end.tally)));
  const std::size_t shown = std::min(run.findings.size(), kFindingsShown);
  for (std::size_t index = 0; index < shown; ++index) {
    environment.out << std::string(kIndent, ' ') << format_finding(run.findings[index]) << '\n';
  }
  const std::uint64_t more = run.end.tally.total() - std::min<std::uint64_t>(run.end.tally.total(), shown);
  if (more > 0) print_indented(environment, fmt::format("... and {} more", format_count(more)));
  print_indented(environment, summarise(run.end.attribution));
}

std::string format_write(const WriteRef& write) {
  return fmt::format("write {} of writer {} ({}, {} of {} bytes)", write.index, write.writer, to_string(write.route),
                     write.result, write.length_bytes);
}

}  // namespace

RunResult parse_run_document(const nlohmann::json& document) {
  RunResult run;
  JsonFields fields(document, "run");
  fields.require("profile", run.profile);
  fields.require_parsed("seed", run.seed, parse_seed, kSeedExpected);
  fields.accept("kernel", run.kernel);
  fields.accept("filesystem", run.filesystem);
  fields.accept("pressure", run.pressure);
  fields.accept("findings", run.findings);
  fields.accept("reason", run.end.reason);
  fields.require_name("verdict", run.end.verdict, parse_verdict, "a verdict");
  std::optional<double> duration_seconds;
  fields.accept_null("duration_seconds", duration_seconds);
  run.end.duration_seconds = duration_seconds.value_or(0);
  fields.accept_null("first_finding_seconds", run.end.first_finding_seconds);
  fields.accept("attribution", run.end.attribution);
  from_json(document, run.end.counters);
  read_tally(document, "finding_counts", run.end.tally.count);
  read_tally(document, "finding_bytes", run.end.tally.bytes);
  return run;
}

Progress parse_progress(const nlohmann::json& data) {
  Progress progress;
  JsonFields fields(data, "progress");
  fields.require("elapsed_seconds", progress.elapsed_seconds);
  fields.require("fraction", progress.fraction);
  from_json(data, progress.counters);
  read_tally(data, "finding_counts", progress.tally.count);
  return progress;
}

std::string format_counts(const FindingTally& tally) {
  std::string result;
  for (const FindingKind kind : kAllFindingKinds) {
    if (tally.count_of(kind) == 0) continue;
    result += fmt::format("{}{} {}", result.empty() ? "" : ", ", to_string(kind), format_count(tally.count_of(kind)));
  }
  return result.empty() ? "none" : result;
}

std::string format_finding(const Finding& finding) {
  std::string line = fmt::format("{}  {} at {}, {} bytes{}", to_string(finding.kind), printable(finding.file),
                                 format_count(finding.offset_bytes), format_count(finding.length_bytes),
                                 finding.page_aligned ? ", page aligned" : "");
  if (finding.source_offset_bytes) line += fmt::format(", belongs to {}", format_count(*finding.source_offset_bytes));
  if (finding.write) line += "; " + format_write(*finding.write);
  if (finding.intruder) line += "; inside it " + format_write(*finding.intruder);
  if (finding.views.cold != Look::kNotLooked) line += "; " + describe(finding.views);
  return line;
}

std::optional<Verdict> overall_verdict(const std::vector<RunResult>& runs) {
  std::optional<Verdict> verdict;
  for (const RunResult& run : runs) verdict = verdict ? worse(*verdict, run.end.verdict) : run.end.verdict;
  return verdict;
}

int exit_code_of(const std::vector<RunResult>& runs, FailOn fail_on) {
  WC_CHECK(!runs.empty());
  Verdict verdict = Verdict::kClean;
  for (const RunResult& run : runs) verdict = worse(verdict, taken_as(run.end.verdict, fail_on));
  return exit_code(verdict);
}

void print_runs(const Environment& environment, const std::vector<RunResult>& runs) {
  Table table({{"PROFILE"},
               {"VERDICT"},
               {"WRITES", true},
               {"EXPOSURES", true},
               {"FINDINGS", true},
               {"TIME", true},
               {"REASON"}});
  for (const RunResult& run : runs) table.add(row_of(run));
  const int width = environment.out_is_terminal ? environment.columns : kTableColumns;
  const std::string rendered = table.render(width, environment.colour);
  environment.out << rendered;
  for (const RunResult& run : runs) {
    if (run.end.verdict != Verdict::kClean) print_details(environment, run, rendered);
  }
  if (const auto verdict = overall_verdict(runs)) {
    environment.out << "\nVerdict: " << styled(to_string(*verdict), style_of(*verdict), environment.colour) << '\n';
  }
}

}  // namespace writecanary::cli
