#include "storage/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "storage/columns.h"
#include "storage/store_state.h"

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

std::vector<AuditRow> read_audit(const SQLite::Database& database, const AuditFilter& filter) {
  SQLite::Statement select(database,
                           "SELECT id, at_ms, who, address, request_id, method, path, outcome, detail FROM audit "
                           "WHERE id < ? ORDER BY id DESC LIMIT ?");
  Binder(select) << filter.before_id.value_or(std::numeric_limits<std::int64_t>::max())
                 << std::int64_t{std::max(filter.limit, 0)};
  std::vector<AuditRow> rows;
  while (select.executeStep()) {
    AuditRow& row = rows.emplace_back();
    RowReader(select) >> row.id >> row.at_ms >> row.who >> row.address >> row.request_id >> row.method >> row.path >>
        row.outcome >> row.detail;
  }
  return rows;
}

}  // namespace writecanary::storage
