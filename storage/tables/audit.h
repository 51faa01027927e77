// The table of changes that were asked for. Functions may throw SQLite::Exception; they run inside guarded().
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <vector>

#include "storage/tables/records.h"

namespace writecanary::storage {

// A year of a person's changes, or some days of a script's that should know better; about 4 MiB.
inline constexpr std::int64_t kAuditRowsMax = 20'000;
// Rows of changes that were refused.
inline constexpr std::int64_t kAuditRefusalsMax = 5'000;

// Newest first.
std::vector<AuditRow> read_audit(const SQLite::Database& database, const AuditFilter& filter);

}  // namespace writecanary::storage
