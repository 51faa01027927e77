#include "storage/database/migrations.h"

#include <fmt/format.h>

namespace writecanary::storage {

void migrate(SQLite::Database& database, std::span<const char* const> steps) {
  const auto version = static_cast<std::size_t>(database.execAndGet("PRAGMA user_version").getUInt());
  for (std::size_t step = version; step < steps.size(); ++step) {
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    database.exec(steps[step]);
    database.exec(fmt::format("PRAGMA user_version = {}", step + 1));  // pragmas take no bound values
    transaction.commit();
  }
}

}  // namespace writecanary::storage
