// Store: what goes when it is old or when there is too much, a little at a time.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "storage/database/columns.h"
#include "storage/store/store_state.h"
#include "storage/tables/rows.h"
#include "storage/tables/totals.h"

namespace writecanary::storage {

namespace {

// Findings that one step removes at most; each takes its event and some index entries along, about 50 us.
constexpr std::int64_t kFindingsPerStep = 400;
// Pages given back to the filesystem at once: with the copying that this means, a few milliseconds.
constexpr int kPagesPerStep = 500;

std::int64_t count_findings(SQLite::Database& database, std::int64_t run_id) {
  SQLite::Statement count(database, "SELECT count(*) FROM findings WHERE run_id = ?");
  Binder(count) << run_id;
  count.executeStep();
  return count.getColumn(0).getInt64();
}

// The first run of the hours after `before_ms`. Hours that are still to come were said by a clock that was ahead.
std::int64_t first_young_run(SQLite::Database& database, std::int64_t before_ms, std::int64_t now_ms) {
  constexpr std::int64_t kHourMs = 3'600'000;
  SQLite::Statement select(database, "SELECT min(first_id) FROM run_hours WHERE hour > ? AND hour <= ?");
  Binder(select) << before_ms / kHourMs << now_ms / kHourMs;
  select.executeStep();
  return select.isColumnNull(0) ? std::numeric_limits<std::int64_t>::max() : select.getColumn(0).getInt64();
}

// The oldest ended runs that may go, as many as one step can take.
std::vector<std::int64_t> oldest_runs(SQLite::Database& database, std::int64_t before_ms, std::int64_t now_ms,
                                      int batch) {
  SQLite::Statement select(database,
                           "SELECT id FROM runs WHERE open_findings = 0 AND finished_at_ms < ? AND id < ? "
                           "ORDER BY finished_at_ms LIMIT ?");
  Binder(select) << before_ms << first_young_run(database, before_ms, now_ms) << std::int64_t{std::max(batch, 0)};
  std::vector<std::int64_t> ids;
  for (std::int64_t findings = 0; select.executeStep() && findings < kFindingsPerStep;) {
    ids.push_back(select.getColumn(0).getInt64());
    findings += count_findings(database, ids.back());
  }
  return ids;
}

void thin_out(SQLite::Database& database, std::int64_t run_id) {
  SQLite::Statement select(database, select_findings() + " WHERE run_id = ? ORDER BY id LIMIT ? OFFSET ?");
  Binder(select) << run_id << kFindingsPerStep << std::int64_t{kOpenFindingsKept};
  std::vector<FindingRow> surplus;
  while (select.executeStep()) surplus.push_back(finding_of(select));
  std::int64_t open = 0;
  for (const auto& finding : surplus) {
    SQLite::Statement event(database, "DELETE FROM events WHERE run_id = ? AND finding_id = ?");
    Binder(event) << run_id << finding.id;
    event.exec();
    SQLite::Statement row(database, "DELETE FROM findings WHERE id = ?");
    Binder(row) << finding.id;
    row.exec();
    if (finding.acknowledged_at_ms) continue;
    ++open;
    count_open(database, finding.target, finding.finding.kind, -1);
  }
  SQLite::Statement update(database, "UPDATE runs SET open_findings = open_findings - ? WHERE id = ?");
  Binder(update) << open << run_id;
  update.exec();
}

}  // namespace

std::vector<std::int64_t> Store::removable_runs(std::int64_t before_ms, std::int64_t now_ms, int batch) const {
  return state_->look("look for old runs", [&] { return oldest_runs(state_->database, before_ms, now_ms, batch); });
}

void Store::remove_runs(const std::vector<std::int64_t>& ids) {
  if (ids.empty()) return;
  state_->change("remove old runs", [&] {
    for (const auto id : ids) {
      // Findings, events and keys go with their run: ON DELETE CASCADE.
      SQLite::Statement run(state_->database, "DELETE FROM runs WHERE id = ? AND open_findings = 0");
      Binder(run) << id;
      run.exec();
    }
    state_->database.exec(
        "DELETE FROM run_hours WHERE last_id < (SELECT min(id) FROM runs);"
        "DELETE FROM finding_hours WHERE last_id < (SELECT min(id) FROM findings)");
  });
}

void Store::remove_events_before(std::int64_t before_ms, int batch) {
  state_->change("remove old events", [&] {
    SQLite::Statement events(state_->database,
                             "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE run_id IS NULL AND at_ms < ? "
                             "LIMIT ?)");
    Binder(events) << before_ms << std::int64_t{std::max(batch, 0)};
    events.exec();
  });
}

bool Store::thin_findings_before(std::int64_t before_ms, std::int64_t now_ms) {
  const std::string tried = "thin out the findings of an old run";
  return state_->change(tried, [&] {
    // With the number as it stands in the condition of the index runs_open: a bound one would not use it.
    SQLite::Statement select(state_->database, fmt::format("SELECT id FROM runs WHERE open_findings > {} AND "
                                                           "finished_at_ms < ? AND id < ? "
                                                           "ORDER BY finished_at_ms LIMIT 1",
                                                           kOpenFindingsKept));
    Binder(select) << before_ms << first_young_run(state_->database, before_ms, now_ms);
    if (!select.executeStep()) return false;
    thin_out(state_->database, select.getColumn(0).getInt64());
    return true;
  });
}

bool Store::give_space_back() {
  const std::string tried = "give space back to the filesystem";
  auto& database = state_->database;
  const bool has_some = state_->look(tried, [&] { return database.execAndGet("PRAGMA freelist_count").getInt() > 0; });
  if (!has_some) return false;
  const auto give = [&] { database.exec(fmt::format("PRAGMA incremental_vacuum({})", kPagesPerStep)); };
  state_->change(tried, give, State::Stamp::kAlways);
  // Takes what it can without waiting for readers; what it leaves, a later one takes.
  state_->log.checkpoint();
  return true;
}

std::uint64_t Store::run_count() const {
  return state_->look("count the runs", [&] {
    SQLite::Statement count(state_->database, "SELECT count(*) FROM runs");
    count.executeStep();
    return static_cast<std::uint64_t>(count.getColumn(0).getInt64());
  });
}

}  // namespace writecanary::storage
