#include "cli/check/coverage_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/terminal/table.h"
#include "cli/terminal/text.h"
#include "core/base/json_text.h"
#include "core/base/system_text.h"
#include "core/base/version.h"
#include "core/process/probe_process.h"
#include "core/run/coverage.h"

namespace writecanary::cli {
namespace {

// Long enough for a profile to make each of its operations a few hundred times.
constexpr std::uint64_t kDurationMs = 2'000;

nlohmann::json document_of(const std::string& path, const std::vector<RunResult>& runs, const Coverage& coverage) {
  nlohmann::json document = {{"version", kVersion}, {"path", system_name(path)}};
  document["kernel"] = runs.back().kernel;
  document["filesystem"] = runs.back().filesystem;
  document["runs"] = nlohmann::json::array();
  for (const RunResult& run : runs) {
    document["runs"].push_back({{"profile", run.profile},
                                {"verdict", to_string(run.end.verdict)},
                                {"reason", run.end.reason},
                                {"coverage", run.end.coverage}});
  }
  document["coverage"] = coverage;
  document["empty"] = nlohmann::json::array();
  for (const CoverageCell& cell : coverage.empty_cells()) document["empty"].push_back(to_string(cell));
  return document;
}

std::string table_of(const Environment& environment, const Coverage& coverage) {
  std::vector<Column> columns = {{"OPERATION"}, {"WAY"}, {"MADE", true}};
  for (std::size_t state = 0; state < kCoveredStateCount; ++state) {
    columns.push_back({std::string(to_string(static_cast<CoveredState>(state))), true});
  }
  Table table(std::move(columns));
  for (std::size_t i = 0; i < kCoveredOperationCount * kCoveredWayCount; ++i) {
    const auto operation = static_cast<CoveredOperation>(i / kCoveredWayCount);
    const auto way = static_cast<CoveredWay>(i % kCoveredWayCount);
    if (!can_be(operation, way)) continue;
    std::vector<Cell> row = {std::string(to_string(operation)), std::string(to_string(way)),
                             format_count(coverage.operations(operation, way))};
    for (std::size_t state = 0; state < kCoveredStateCount; ++state) {
      const CoverageCell cell{operation, way, static_cast<CoveredState>(state)};
      row.emplace_back(can_be(cell) ? format_count(coverage.count(cell)) : std::string("-"));
    }
    table.add(std::move(row));
  }
  return table.render(environment.out_columns(), environment.colour);
}

}  // namespace

int show_coverage(const Environment& environment, const CheckOptions& options, bool json) {
  CheckOptions chosen = options;
  if (chosen.profile.empty()) chosen.profile = "all";
  if (!chosen.duration_ms) chosen.duration_ms = kDurationMs;
  const Catalogue catalogue = load_catalogue(probe_program());
  const std::vector<RunSpec> specs = plan_check(chosen, catalogue, environment.random_seed);
  const std::vector<RunResult> runs = make_runs(environment, specs);
  Coverage coverage;
  for (const RunResult& run : runs) coverage.add(run.end.coverage);
  // A finding is the business of check; a run that could not be made is missing here.
  const bool failed =
      std::ranges::any_of(runs, [](const RunResult& run) { return run.end.verdict == Verdict::kError; });
  const int incomplete = failed ? exit_code(Verdict::kError) : 0;
  if (json) {
    environment.out << json_text(document_of(specs.front().path, runs, coverage), 2) << '\n';
    return incomplete;
  }
  environment.out << fmt::format("{}: {}, Linux {}, {} of {} profiles run\n\n", system_name(specs.front().path),
                                 describe(runs.back().filesystem), runs.back().kernel.release, runs.size(),
                                 specs.size());
  environment.out << table_of(environment, coverage) << '\n';
  const std::vector<CoverageCell> empty = coverage.empty_cells();
  environment.out << fmt::format("Empty: {} cells.\n", empty.size());
  for (const CoverageCell& cell : empty) environment.out << "  " << to_string(cell) << '\n';
  return incomplete;
}

}  // namespace writecanary::cli
