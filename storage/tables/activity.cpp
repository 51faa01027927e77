#include "storage/tables/activity.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "storage/tables/rows.h"
#include "storage/tables/totals.h"

namespace writecanary::storage {

namespace {

// Runs that differ in nothing that the answer tells apart; of these there are few, because most tallies are empty.
std::string activity_sql(const ActivityFilter& filter) {
  const char* const place = filter.by_profile ? "target, profile" : "'', ''";
  std::string sql = fmt::format(
      "SELECT (queued_at_ms - ?) / ? AS step, {}, kernel_release, verdict, tally, count(*), sum(writes), "
      "sum(exposures) "
      "FROM runs WHERE queued_at_ms >= ? AND queued_at_ms < ? AND +state = 'finished'",
      place);
  // The + keeps to the index on the time: no filter is narrower for the times that are asked for.
  if (filter.target) sql += " AND +target = ?";
  if (filter.profile) sql += " AND +profile = ?";
  return sql + " GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4";
}

bool same_place(const ActivityRow& a, const ActivityRow& b) {
  return a.from_ms == b.from_ms && a.target == b.target && a.profile == b.profile && a.kernel == b.kernel;
}

std::vector<RunMark> last_runs(const SQLite::Database& database, const TotalsRow& of, int limit) {
  SQLite::Statement select(database,
                           "SELECT id, verdict, finished_at_ms, exposures, tally FROM runs INDEXED BY "
                           "runs_by_target_profile WHERE target = ? AND profile = ? AND state = 'finished' "
                           "ORDER BY id DESC LIMIT ?");
  Binder(select) << of.target << of.profile << std::int64_t{limit};
  std::vector<RunMark> runs;
  while (select.executeStep()) {
    RunMark& run = runs.emplace_back();
    FindingTally tally;
    RowReader(select) >> run.id >> run.verdict >> run.finished_at_ms >> run.exposures >> tally;
    run.findings = tally.total();
  }
  std::ranges::reverse(runs);
  return runs;
}

}  // namespace

std::vector<ActivityRow> read_activity(const SQLite::Database& database, const ActivityFilter& filter) {
  SQLite::Statement select(database, activity_sql(filter));
  Binder values(select);
  values << filter.since_ms << filter.step_ms << filter.since_ms << filter.until_ms;
  if (filter.target) values << *filter.target;
  if (filter.profile) values << *filter.profile;
  std::vector<ActivityRow> rows;
  while (select.executeStep()) {
    ActivityRow row;
    std::int64_t step = 0;
    Verdict verdict = Verdict::kError;
    FindingTally tally;
    std::uint64_t runs = 0;
    RowReader(select) >> step >> row.target >> row.profile >> row.kernel >> verdict >> tally >> runs >> row.writes >>
        row.exposures;
    row.from_ms = filter.since_ms + step * filter.step_ms;
    if (rows.empty() || !same_place(rows.back(), row)) {
      rows.push_back(std::move(row));
    } else {
      rows.back().writes += row.writes;
      rows.back().exposures += row.exposures;
    }
    rows.back().runs_by_verdict[static_cast<std::size_t>(verdict)] += runs;
    for (std::size_t kind = 0; kind < kFindingKindCount; ++kind) {
      rows.back().tally.count[kind] += tally.count[kind] * runs;
      rows.back().tally.bytes[kind] += tally.bytes[kind] * runs;
    }
  }
  return rows;
}

std::vector<HistoryRow> read_history(const SQLite::Database& database, const HistoryFilter& filter) {
  std::vector<HistoryRow> rows;
  std::vector<TotalsRow> all = read_totals(database);
  const auto place_of = [](const TotalsRow& each) { return each.target + "/" + each.profile; };
  std::ranges::sort(all, {}, place_of);
  for (const TotalsRow& each : all) {
    if (rows.size() == filter.rows) break;
    const bool wanted =
        (!filter.target || *filter.target == each.target) && (!filter.profile || *filter.profile == each.profile);
    if (!wanted || place_of(each) <= filter.after) continue;
    rows.push_back({each.target, each.profile, last_runs(database, each, filter.limit)});
  }
  return rows;
}

}  // namespace writecanary::storage
