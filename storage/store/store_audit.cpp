// The part of Store that records who asked for a change and what came of it.
#include <fmt/format.h>

#include "storage/database/columns.h"
#include "storage/store/store_state.h"
#include "storage/tables/audit.h"

namespace writecanary::storage {
namespace {

// Finding the oldest row to keep reads all rows, so it is looked for now and then.
constexpr std::int64_t kRowsBetweenLooks = 64;

// Of the rows of that kind, all but the newest `kept` go.
void forget_oldest(SQLite::Database& database, const char* kind, std::int64_t kept) {
  SQLite::Statement forget(database,
                           fmt::format("DELETE FROM audit WHERE {0} AND id <= (SELECT id FROM audit WHERE {0} "
                                       "ORDER BY id DESC LIMIT 1 OFFSET ?)",
                                       kind));
  Binder(forget) << kept;
  forget.exec();
}

}  // namespace

std::int64_t Store::add_audit(const AuditRow& row) {
  return state_->change("record who asked for a change", [&] {
    SQLite::Statement insert(state_->database,
                             "INSERT INTO audit (at_ms, who, address, request_id, method, path, outcome, detail) "
                             "VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    Binder(insert) << row.at_ms << row.who << row.address << row.request_id << row.method << row.path << row.outcome
                   << row.detail;
    insert.exec();
    const auto id = state_->database.getLastInsertRowid();
    if (id % kRowsBetweenLooks == 0) {
      forget_oldest(state_->database, "outcome IS NOT 'refused'", kAuditRowsMax);
      forget_oldest(state_->database, "outcome IS 'refused'", kAuditRefusalsMax);
    }
    return id;
  });
}

void Store::complete_audit(std::int64_t id, const std::string& outcome, const std::string& detail) {
  state_->change(fmt::format("record the outcome of change {}", id), [&] {
    SQLite::Statement update(state_->database, "UPDATE audit SET outcome = ?, detail = ? WHERE id = ?");
    Binder(update) << outcome << detail << id;
    update.exec();
  });
}

}  // namespace writecanary::storage
