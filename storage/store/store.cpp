#include "storage/store/store.h"

#include "storage/database/database_file.h"
#include "storage/database/migrations.h"
#include "storage/database/schema.h"
#include "storage/store/store_state.h"
#include "storage/tables/events.h"
#include "storage/tables/rows.h"
#include "storage/tables/totals.h"

namespace writecanary::storage {

namespace {

// What every connection of the writer needs. The write-ahead log lets readers go on during a commit; a full sync makes
// a commit outlive a power loss. The log is cut back after a large transaction.
constexpr const char* kWriterPragmas = R"sql(
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA trusted_schema = OFF;
PRAGMA temp_store = MEMORY;
PRAGMA journal_size_limit = 1048576;
)sql";

}  // namespace

Store::Store() = default;
Store::~Store() = default;

std::unique_ptr<Store> Store::open(const std::string& path) {
  Fd lock = lock_database(path);
  const auto steps = schema_steps();
  OpenedFile opened = open_database_file(path, steps);
  guarded("prepare the database", path, [&] {
    opened.database.exec(kWriterPragmas);
    migrate(opened.database, steps);
  });
  std::unique_ptr<Store> store(new Store);
  store->state_ = std::make_unique<State>(path, std::move(lock), std::move(opened));
  store->state_->log.checkpoint();
  return store;
}

const std::vector<std::string>& Store::notices() const { return state_->notices; }

void Store::sync_targets(const std::vector<TargetRow>& configured) {
  state_->change("store the configured targets", [&] {
    SQLite::Statement upsert(state_->database,
                             "INSERT INTO targets (name, path, paused, paused_note) VALUES (?, ?, ?, ?) "
                             "ON CONFLICT (name) DO UPDATE SET path = excluded.path");
    for (const TargetRow& target : configured) {
      Binder(upsert) << target.name << target.path << target.paused << target.paused_note;
      upsert.exec();
      upsert.reset();
    }
  });
}

std::vector<TargetRow> Store::targets() const {
  return state_->look("list the targets", [&] { return read_targets(state_->database); });
}

void Store::set_paused(const std::string& target, bool paused, const std::string& note, std::int64_t now_ms) {
  const std::string tried = (paused ? "pause target \"" : "resume target \"") + target + '"';
  state_->change(tried, [&] {
    SQLite::Statement update(state_->database, "UPDATE targets SET paused = ?, paused_note = ? WHERE name = ?");
    Binder(update) << paused << note << target;
    if (update.exec() == 0) throw StorageError(tried + ": " + state_->path + ": no such target");
    append_target_paused(state_->database, {.name = target, .path = "", .paused = paused, .paused_note = note}, now_ms);
  });
}

std::vector<TotalsRow> Store::totals() const {
  return state_->look("read the totals", [&] { return read_totals(state_->database); });
}

std::vector<TotalsRow> Store::totals_of_kernel(const std::string& release) const {
  return state_->look("read the totals of kernel " + release, [&] { return read_totals(state_->database, release); });
}

std::int64_t Store::last_event_id() const {
  return state_->look("read the last event id", [&] { return read_last_event_id(state_->database); });
}

std::vector<EventRow> Store::events_after(std::int64_t event_id, int limit) const {
  return state_->look("read events", [&] { return read_events(state_->database, event_id, std::nullopt, limit); });
}

std::uint64_t Store::size_bytes() const { return database_size_bytes(state_->path); }

}  // namespace writecanary::storage
