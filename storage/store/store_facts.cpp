// Store: facts that the daemon remembers from one start to the next.
#include <fmt/format.h>

#include "storage/database/columns.h"
#include "storage/store/store_state.h"

namespace writecanary::storage {

std::string Store::id() const {
  return state_->look("read the id of the database",
                      [&] { return state_->database.execAndGet("SELECT id FROM identity").getString(); });
}

void Store::prove_writable() {
  const std::string tried = "write to the database again";
  // Two transactions: pages that are freed within one are never written.
  state_->change(tried, [&] {
    state_->database.exec("INSERT OR REPLACE INTO facts (name, value) VALUES ('proof', hex(zeroblob(32768)))");
  });
  state_->change(tried, [&] { state_->database.exec("DELETE FROM facts WHERE name = 'proof'"); });
}

std::optional<std::string> Store::fact(const std::string& name) const {
  return state_->look(fmt::format("look up the fact \"{}\"", name), [&]() -> std::optional<std::string> {
    SQLite::Statement select(state_->database, "SELECT value FROM facts WHERE name = ?");
    Binder(select) << name;
    if (!select.executeStep()) return std::nullopt;
    return select.getColumn(0).getString();
  });
}

void Store::remember_fact(const std::string& name, const std::string& value_json) {
  state_->change(fmt::format("remember the fact \"{}\"", name), [&] {
    SQLite::Statement put(state_->database,
                          "INSERT INTO facts (name, value) VALUES (?, ?) "
                          "ON CONFLICT (name) DO UPDATE SET value = excluded.value");
    Binder(put) << name << value_json;
    put.exec();
  });
}

}  // namespace writecanary::storage
