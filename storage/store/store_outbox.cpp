// Store: the events that somebody outside waits for.
#include <fmt/format.h>

#include "storage/database/columns.h"
#include "storage/store/store_state.h"

namespace writecanary::storage {

void Store::keep_outbox(bool keep) {
  state_->change(keep ? "begin to keep events for the webhook" : "drop the events for the webhook", [&] {
    // The trigger of the schema looks at this fact.
    if (keep) {
      state_->database.exec("INSERT OR IGNORE INTO facts (name, value) VALUES ('webhook', 'true')");
    } else {
      state_->database.exec("DELETE FROM facts WHERE name = 'webhook'");
      state_->database.exec("DELETE FROM outbox");
    }
  });
}

std::uint64_t Store::outbox_size() const {
  return state_->look("count the events for the webhook", [&] {
    return static_cast<std::uint64_t>(state_->database.execAndGet("SELECT count(*) FROM outbox").getInt64());
  });
}

void Store::remove_from_outbox(std::int64_t event_id) {
  state_->change(fmt::format("note that event {} was delivered", event_id), [&] {
    SQLite::Statement remove(state_->database, "DELETE FROM outbox WHERE event_id = ?");
    Binder(remove) << event_id;
    remove.exec();
  });
}

}  // namespace writecanary::storage
