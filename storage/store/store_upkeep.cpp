// Store: idempotency keys and the daily budget.
#include <fmt/format.h>

#include <limits>

#include "storage/database/columns.h"
#include "storage/store/store_state.h"

namespace writecanary::storage {

std::optional<KeyedRun> Store::run_of_key(const RequestKey& key, std::int64_t now_ms) {
  return state_->look("look up an idempotency key", [&]() -> std::optional<KeyedRun> {
    SQLite::Statement select(state_->database,
                             "SELECT run_id, caller = '' OR request = ? FROM request_keys WHERE key = ? AND caller IN "
                             "(?, '') AND created_at_ms > ? ORDER BY caller DESC LIMIT 1");
    Binder(select) << key.request << key.key << key.caller << now_ms - kRequestKeyLifeMs;
    if (!select.executeStep()) return std::nullopt;
    KeyedRun run;
    RowReader(select) >> run.run_id >> run.same_request;
    return run;
  });
}

std::uint64_t Store::bytes_written_between(const std::string& target, std::int64_t since_ms,
                                           std::int64_t before_ms) const {
  return state_->look(fmt::format("sum up the bytes written on target \"{}\"", target), [&] {
    SQLite::Statement select(state_->database,
                             "SELECT bytes_written FROM runs WHERE target = ? AND finished_at_ms >= ? AND "
                             "finished_at_ms < ?");
    Binder(select) << target << since_ms << before_ms;
    std::uint64_t total = 0;
    while (select.executeStep()) {
      std::uint64_t bytes = 0;
      RowReader(select) >> bytes;
      if (__builtin_add_overflow(total, bytes, &total)) return std::numeric_limits<std::uint64_t>::max();
    }
    return total;
  });
}

std::optional<std::int64_t> Store::newest_run_ms() const {
  return state_->look("look at the newest run", [&]() -> std::optional<std::int64_t> {
    SQLite::Statement select(state_->database,
                             "SELECT max(queued_at_ms, ifnull(started_at_ms, 0), ifnull(finished_at_ms, 0)) FROM runs "
                             "ORDER BY id DESC LIMIT 1");
    if (!select.executeStep()) return std::nullopt;
    return select.getColumn(0).getInt64();
  });
}

}  // namespace writecanary::storage
