// Readers beside the writer: many threads, each call of one moment.
#include "storage/reader/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/unit/storage/support.h"

namespace writecanary::storage {
namespace {

using testing::HasSubstr;

TEST(ReaderTest, WhatIsNotThereIsNothing) {
  const TestStore store;
  const Reader reader = store.reader();
  EXPECT_EQ(reader.run(1), std::nullopt);
  EXPECT_EQ(reader.finding(1), std::nullopt);
  EXPECT_TRUE(reader.runs({}).empty());
  EXPECT_TRUE(reader.kernels().empty());
  EXPECT_EQ(reader.last_event_id(), 0);
}

// Everything that a thread sees must belong together: findings, totals and events of a run come with its end.
void read_until(const std::atomic<bool>& done, const Reader& reader, std::atomic<int>& calls) {
  do {
    for (const RunRow& run : reader.runs({})) {
      if (run.state != RunState::kFinished) continue;
    }
    for (const EventRow& event : reader.events_after(0, std::nullopt, 1'000)) {
      if (event.type != "run.finished") continue;
      EXPECT_EQ(nlohmann::json::parse(event.data_json).at("state"), "finished");
    }
    for (const IncidentRow& incident : reader.incidents({})) {
      EXPECT_EQ(incident.findings, 2 * incident.runs_with);
      FindingFilter of_incident;
      of_incident.incident_id = incident.id;
      const auto kept = reader.findings(of_incident).size();
      EXPECT_TRUE(kept == 10 || kept == 2 * incident.runs_with || incident.runs_with < 6) << kept;
    }
    for (const TotalsRow& totals : reader.totals()) {
      EXPECT_EQ(totals.tally.count_of(FindingKind::kTorn),
                2 * totals.runs_by_verdict[static_cast<std::size_t>(Verdict::kCorrupt)]);
    }
    ++calls;
  } while (!done);
}

TEST(ReaderTest, ManyThreadsReadWhileTheStoreWrites) {
  const TestStore store;
  const Reader reader = store.reader();
  std::atomic<bool> done = false;
  std::atomic<int> calls = 0;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { read_until(done, reader, calls); });
  for (int i = 0; i < 40; ++i) {
    finished_run(*store.store, result_with(Verdict::kCorrupt, {FindingKind::kTorn, FindingKind::kTorn}));
    if (i % 10 == 9) store->acknowledge_finding(1, "alice", "", 1);
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(calls, 4);
  RunFilter all;
  EXPECT_EQ(reader.runs(all).size(), 40U);
}

TEST(ReaderTest, AFailedReadLeavesTheReaderUsable) {
  const TestStore store;
  const Reader reader = store.reader();
  finished_run(*store.store, result_with(Verdict::kClean));
  raw(store.path).exec("ALTER TABLE runs RENAME TO walks");
  EXPECT_THAT(storage_error([&] { reader.run(1); }), HasSubstr("read a run: " + store.path + ": no such table: runs"));
  raw(store.path).exec("ALTER TABLE walks RENAME TO runs");
  EXPECT_TRUE(reader.run(1).has_value());
}

}  // namespace
}  // namespace writecanary::storage
