// The part of Store that records who asked for a change and what came of it.
#include <fmt/format.h>

#include "storage/database/columns.h"
#include "storage/store/store_state.h"
#include "storage/tables/audit.h"

namespace writecanary::storage {

std::int64_t Store::add_audit(const AuditRow& row) {
  return state_->change("record who asked for a change", [&] {
    SQLite::Statement insert(state_->database,
                             "INSERT INTO audit (at_ms, who, address, request_id, method, path, outcome, detail) "
                             "VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    Binder(insert) << row.at_ms << row.who << row.address << row.request_id << row.method << row.path << row.outcome
                   << row.detail;
    insert.exec();
    const auto id = state_->database.getLastInsertRowid();
    SQLite::Statement forget(state_->database, "DELETE FROM audit WHERE id <= ?");
    Binder(forget) << id - kAuditRowsMax;
    forget.exec();
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
