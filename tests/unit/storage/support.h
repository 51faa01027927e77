// What the storage tests share: a directory that goes away, and runs and results to store.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "storage/reader/reader.h"
#include "storage/store/store.h"
#include "tests/unit/temporary_directory.h"

namespace writecanary::storage {

// A store in a directory of its own that can be closed and opened again.
struct TestStore {
  TemporaryDirectory directory;
  std::string path = directory / "results.db";
  std::unique_ptr<Store> store = Store::open(path);

  Store* operator->() const { return store.get(); }
  Reader reader() const { return Reader(path); }
  void reopen() {
    store.reset();
    store = Store::open(path);
  }
};

TargetRow known_target(const std::string& name, const std::string& path);

RunRow queued_run(const std::string& target = "data", const std::string& profile = "append",
                  std::int64_t queued_at_ms = 1'000);

// A finding whose every field differs from its default.
Finding full_finding(FindingKind kind = FindingKind::kDuplicate);

// Counters 1, 2, 3, ..., known facts, and one full finding (in the tally too) per kind given.
RunResult result_with(Verdict verdict, std::initializer_list<FindingKind> kinds = {},
                      const std::string& kernel_release = "6.1.0-18-amd64");

// Queues, starts and finishes a run. Returns its id.
std::int64_t finished_run(Store& store, const RunResult& result, const std::string& target = "data",
                          const std::string& profile = "append", std::int64_t finished_at_ms = 3'000);

// What retention does: removes the oldest that may go and returns their ids.
std::vector<std::int64_t> remove_runs_before(Store& store, std::int64_t before_ms, int batch);

std::string file_bytes(const std::string& path);
void write_file(const std::string& path, const std::string& bytes);

// A connection past the Store, for damage and for looking at what is really there.
SQLite::Database raw(const std::string& path);

// The message of the StorageError that the call throws; a test failure and "" when it throws none.
std::string storage_error(const std::function<void()>& call);

}  // namespace writecanary::storage
