// What the parts of Store share (store.cpp, store_runs.cpp, store_upkeep.cpp). Private to them.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <string>
#include <type_traits>
#include <utility>

#include "core/base/fd.h"
#include "storage/database/guard.h"
#include "storage/store/store.h"

namespace writecanary::storage {

inline constexpr std::int64_t kIdempotencyKeyLifeMs = 24LL * 3600 * 1000;

struct Store::State {
  std::string path;
  Fd lock;  // released after the database is closed
  SQLite::Database database;

  // Runs the body in one transaction that is rolled back when it throws; the connection stays usable.
  template <typename Body>
  auto change(const std::string& tried, Body&& body) {
    return guarded(tried, path, [&] {
      SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
      if constexpr (std::is_void_v<decltype(body())>) {
        body();
        transaction.commit();
      } else {
        auto result = body();
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
