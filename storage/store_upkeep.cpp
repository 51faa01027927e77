// Store: acknowledging, idempotency keys, the daily budget and retention.
#include <fmt/format.h>
#include <sqlite3.h>

#include <chrono>
#include <limits>

#include "storage/columns.h"
#include "storage/events.h"
#include "storage/rows.h"
#include "storage/store_state.h"
#include "storage/totals.h"

namespace writecanary::storage {

namespace {

constexpr std::int64_t kKeyLifeMs = std::chrono::milliseconds(std::chrono::hours(24)).count();

// Gives the pages of removed rows back to the filesystem. The checkpoint takes what it can without waiting for
// readers; what it leaves, a later one takes.
void give_space_back(SQLite::Database& database) {
  database.exec("PRAGMA incremental_vacuum");
  sqlite3_wal_checkpoint_v2(database.getHandle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

}  // namespace

bool Store::acknowledge(std::int64_t finding_id, const std::string& by, const std::string& note, std::int64_t now_ms) {
  return state_->change(fmt::format("acknowledge finding {}", finding_id), [&] {
    std::optional<FindingRow> finding = find_finding(state_->database, finding_id);
    if (!finding) return false;
    if (finding->acknowledged_at_ms) return true;
    SQLite::Statement update(state_->database,
                             "UPDATE findings SET acknowledged_at_ms = ?, acknowledged_by = ?, note = ? WHERE id = ?");
    Binder(update) << now_ms << by << note << finding_id;
    update.exec();
    SQLite::Statement close(state_->database, "UPDATE runs SET open_findings = open_findings - 1 WHERE id = ?");
    Binder(close) << finding->run_id;
    close.exec();
    count_open(state_->database, finding->target, finding->finding.kind, -1);
    append_acknowledged(state_->database, *find_finding(state_->database, finding_id));
    return true;
  });
}

std::optional<std::int64_t> Store::run_of_key(const std::string& idempotency_key, std::int64_t now_ms) {
  return state_->look("look up an idempotency key", [&]() -> std::optional<std::int64_t> {
    SQLite::Statement select(state_->database,
                             "SELECT run_id FROM idempotency_keys WHERE key = ? AND created_at_ms > ?");
    Binder(select) << idempotency_key << now_ms - kKeyLifeMs;
    if (!select.executeStep()) return std::nullopt;
    return select.getColumn(0).getInt64();
  });
}

void Store::remember_key(const std::string& idempotency_key, std::int64_t run_id, std::int64_t now_ms) {
  state_->change(fmt::format("remember the idempotency key of run {}", run_id), [&] {
    SQLite::Statement expire(state_->database, "DELETE FROM idempotency_keys WHERE created_at_ms <= ?");
    Binder(expire) << now_ms - kKeyLifeMs;
    expire.exec();
    SQLite::Statement insert(state_->database,
                             "INSERT OR IGNORE INTO idempotency_keys (key, run_id, created_at_ms) VALUES (?, ?, ?)");
    Binder(insert) << idempotency_key << run_id << now_ms;
    insert.exec();
  });
}

std::uint64_t Store::bytes_written_since(const std::string& target, std::int64_t since_ms) const {
  return state_->look(fmt::format("sum up the bytes written on target \"{}\"", target), [&] {
    SQLite::Statement select(state_->database,
                             "SELECT bytes_written FROM runs WHERE target = ? AND finished_at_ms >= ?");
    Binder(select) << target << since_ms;
    std::uint64_t total = 0;
    while (select.executeStep()) {
      std::uint64_t bytes = 0;
      RowReader(select) >> bytes;
      if (__builtin_add_overflow(total, bytes, &total)) return std::numeric_limits<std::uint64_t>::max();
    }
    return total;
  });
}

int Store::remove_runs_before(std::int64_t before_ms, int batch) {
  const std::string tried = "remove old runs";
  const int removed = state_->change(tried, [&] {
    // Findings, events and keys go with their run: ON DELETE CASCADE.
    SQLite::Statement runs(state_->database,
                           "DELETE FROM runs WHERE id IN (SELECT id FROM runs WHERE open_findings = 0 AND "
                           "finished_at_ms < ? ORDER BY finished_at_ms LIMIT ?)");
    Binder(runs) << before_ms << std::int64_t{std::max(batch, 0)};
    const int count = runs.exec();
    SQLite::Statement events(state_->database, "DELETE FROM events WHERE run_id IS NULL AND at_ms < ?");
    Binder(events) << before_ms;
    events.exec();
    return count;
  });
  if (removed > 0) state_->look(tried, [&] { give_space_back(state_->database); });
  return removed;
}

}  // namespace writecanary::storage
