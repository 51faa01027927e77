// What the parts of Store share (store.cpp, store_runs.cpp, store_upkeep.cpp). Private to them.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/base/fd.h"
#include "storage/database/database_file.h"
#include "storage/database/guard.h"
#include "storage/database/write_ahead_log.h"
#include "storage/store/store.h"

namespace writecanary::storage {

inline constexpr std::int64_t kRequestKeyLifeMs = 24LL * 3600 * 1000;
// A caller that makes up a key for each of its requests uses a few hundred a day.
inline constexpr std::int64_t kRequestKeysMax = 10'000;

struct Store::State {
  State(std::string path_in, Fd lock_in, OpenedFile opened)
      : path(std::move(path_in)),
        lock(std::move(lock_in)),
        database(std::move(opened.database)),
        notices(std::move(opened.notices)) {}

  const std::string path;
  const Fd lock;  // released after the database is closed
  SQLite::Database database;
  const std::vector<std::string> notices;
  WriteAheadLog log{database};

  // A transaction that changed rows stamps the log; of others SQLite does not tell whether they changed anything.
  enum class Stamp { kIfRowsChanged, kAlways };

  // Runs the body in one transaction that is rolled back when it throws; the connection stays usable.
  template <typename Body>
  auto change(const std::string& tried, Body&& body, Stamp stamp = Stamp::kIfRowsChanged) {
    return guarded(tried, path, [&] {
      SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
      const int before = database.getTotalChanges();
      if constexpr (std::is_void_v<decltype(body())>) {
        body();
        if (stamp == Stamp::kAlways || database.getTotalChanges() != before) log.stamp();
        transaction.commit();
      } else {
        auto result = body();
        if (stamp == Stamp::kAlways || database.getTotalChanges() != before) log.stamp();
        transaction.commit();
        return result;
      }
    });
  }

  template <typename Body>
  auto look(const std::string& tried, Body&& body) const {
    return guarded(tried, path, std::forward<Body>(body));
  }
};

}  // namespace writecanary::storage
