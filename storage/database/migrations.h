// Brings a database to the newest version of the schema. Deciding whether a file is ours at all is
// storage/database/database_file.h.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <span>

namespace writecanary::storage {

// Runs the steps beyond PRAGMA user_version, each in one transaction together with its new user_version: after a
// failure (SQLite::Exception) or a crash the file is at the last step that was completed.
void migrate(SQLite::Database& database, std::span<const char* const> steps);

}  // namespace writecanary::storage
