#include "storage/tables/totals.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "storage/tables/rows.h"

namespace writecanary::storage {

namespace {

struct Sum {
  std::string target, profile, kernel_release;
  Verdict verdict = Verdict::kError;
  std::uint64_t runs = 0;
  RunCounters counters;
  FindingTally tally;
  std::int64_t first_seen_ms = 0;
  std::int64_t last_seen_ms = 0;
  std::int64_t last_finished_at_ms = 0;
  std::int64_t last_run_id = 0;
  std::int64_t last_event_id = 0;
};

void add(RunCounters& sum, const RunCounters& counters) {
  for (const CounterColumn& column : kCounterColumns) sum.*column.member += counters.*column.member;
}

void add(FindingTally& sum, const FindingTally& tally) {
  for (std::size_t kind = 0; kind < kFindingKindCount; ++kind) {
    sum.count[kind] += tally.count[kind];
    sum.bytes[kind] += tally.bytes[kind];
  }
}

std::string sum_columns() {
  return "target, profile, kernel_release, verdict, runs, " + counter_names() +
         ", tally, first_seen_ms, last_seen_ms, last_finished_at_ms, last_run_id, last_event_id";
}
constexpr std::size_t kSumColumns = 5 + kCounterColumns.size() + 6;

Sum sum_of(const SQLite::Statement& row) {
  Sum sum;
  RowReader(row) >> sum.target >> sum.profile >> sum.kernel_release >> sum.verdict >> sum.runs >> sum.counters >>
      sum.tally >> sum.first_seen_ms >> sum.last_seen_ms >> sum.last_finished_at_ms >> sum.last_run_id >>
      sum.last_event_id;
  return sum;
}

void save(SQLite::Database& database, const Sum& sum) {
  SQLite::Statement replace(
      database, fmt::format("INSERT OR REPLACE INTO totals ({}) VALUES ({})", sum_columns(), parameters(kSumColumns)));
  Binder(replace) << sum.target << sum.profile << sum.kernel_release << sum.verdict << sum.runs << sum.counters
                  << sum.tally << sum.first_seen_ms << sum.last_seen_ms << sum.last_finished_at_ms << sum.last_run_id
                  << sum.last_event_id;
  replace.exec();
}

// The sum that the run belongs to, empty but for its key when it is the first.
Sum load(const SQLite::Database& database, const RunRow& run) {
  SQLite::Statement select(database, fmt::format("SELECT {} FROM totals WHERE target = ? AND profile = ? AND "
                                                 "kernel_release = ? AND verdict = ?",
                                                 sum_columns()));
  Binder(select) << run.target << run.result.profile << run.result.kernel.release << *run.verdict;
  if (select.executeStep()) return sum_of(select);
  Sum sum;
  sum.target = run.target;
  sum.profile = run.result.profile;
  sum.kernel_release = run.result.kernel.release;
  sum.verdict = *run.verdict;
  return sum;
}

template <typename Visit>
void each_sum(const SQLite::Database& database, Visit visit) {
  SQLite::Statement select(database, fmt::format("SELECT {} FROM totals ORDER BY target, profile", sum_columns()));
  while (select.executeStep()) visit(sum_of(select));
}

}  // namespace

void add_to_totals(SQLite::Database& database, const RunRow& run, std::int64_t event_id) {
  const std::int64_t ended_ms = run.finished_at_ms.value_or(0);
  const std::int64_t began_ms = run.started_at_ms.value_or(ended_ms);
  // The end of an interrupted run was recorded by the next daemon, perhaps days later on another kernel.
  const std::int64_t seen_ms = run.verdict == Verdict::kInterrupted ? began_ms : ended_ms;

  Sum sum = load(database, run);
  sum.first_seen_ms = sum.runs == 0 ? began_ms : std::min(sum.first_seen_ms, began_ms);
  sum.last_seen_ms = std::max(sum.last_seen_ms, seen_ms);
  sum.runs += 1;
  add(sum.counters, run.result.end.counters);
  add(sum.tally, run.result.end.tally);
  sum.last_finished_at_ms = ended_ms;
  sum.last_run_id = run.id;
  sum.last_event_id = event_id;
  save(database, sum);
}

std::vector<TotalsRow> read_totals(const SQLite::Database& database, const std::optional<std::string>& release) {
  std::vector<TotalsRow> totals;
  std::int64_t last_event_id = 0;  // of the target and profile at totals.back()
  each_sum(database, [&](const Sum& sum) {
    if (release && sum.kernel_release != *release) return;
    if (totals.empty() || totals.back().target != sum.target || totals.back().profile != sum.profile) {
      totals.emplace_back();
      totals.back().target = sum.target;
      totals.back().profile = sum.profile;
      last_event_id = 0;
    }
    TotalsRow& row = totals.back();
    row.runs_by_verdict[static_cast<std::size_t>(sum.verdict)] += sum.runs;
    add(row.counters, sum.counters);
    add(row.tally, sum.tally);
    if (sum.verdict == Verdict::kClean) {
      row.last_clean_ms = std::max(row.last_clean_ms.value_or(sum.last_finished_at_ms), sum.last_finished_at_ms);
    }
    if (sum.last_event_id > last_event_id) {
      last_event_id = sum.last_event_id;
      row.last_run_ms = sum.last_finished_at_ms;
      row.last_verdict = sum.verdict;
      row.last_run_id = sum.last_run_id;
    }
  });
  return totals;
}

std::vector<KernelRow> read_kernels(const SQLite::Database& database) {
  std::map<std::string, KernelRow> by_release;
  each_sum(database, [&](const Sum& sum) {
    if (sum.kernel_release.empty()) return;
    KernelRow& kernel = by_release[sum.kernel_release];
    kernel.first_seen_ms = kernel.runs == 0 ? sum.first_seen_ms : std::min(kernel.first_seen_ms, sum.first_seen_ms);
    kernel.last_seen_ms = std::max(kernel.last_seen_ms, sum.last_seen_ms);
    kernel.runs += sum.runs;
    kernel.writes += sum.counters.writes;
    kernel.exposures += sum.counters.exposures;
    add(kernel.tally, sum.tally);
  });
  std::vector<KernelRow> kernels;
  for (auto& [release, kernel] : by_release) {
    kernel.release = release;
    kernels.push_back(std::move(kernel));
  }
  std::ranges::stable_sort(kernels, std::ranges::greater{}, &KernelRow::last_seen_ms);
  return kernels;
}

}  // namespace writecanary::storage
