#include "storage/tables/audit.h"

#include <algorithm>
#include <limits>

#include "storage/database/columns.h"

namespace writecanary::storage {

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
