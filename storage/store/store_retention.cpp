// Store: what goes when it is old or when there is too much, a little at a time.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "storage/database/columns.h"
#include "storage/store/store_state.h"

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
                           "SELECT id FROM runs WHERE finished_at_ms < ? AND id < ? AND NOT EXISTS (SELECT 1 FROM "
                           "findings JOIN incidents ON incidents.id = incident_id WHERE run_id = runs.id AND "
                           "incidents.state != 'resolved') ORDER BY finished_at_ms LIMIT ?");
  Binder(select) << before_ms << first_young_run(database, before_ms, now_ms) << std::int64_t{std::max(batch, 0)};
  std::vector<std::int64_t> ids;
  for (std::int64_t findings = 0; select.executeStep() && findings < kFindingsPerStep;) {
    ids.push_back(select.getColumn(0).getInt64());
    findings += count_findings(database, ids.back());
  }
  return ids;
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
      SQLite::Statement run(state_->database, "DELETE FROM runs WHERE id = ?");
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
