// Retention: what goes, what stays, and that the space comes back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/tables/rows.h"
#include "tests/unit/storage/support.h"

namespace writecanary::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<std::int64_t> run_ids(const Reader& reader) {
  std::vector<std::int64_t> ids;
  for (const RunRow& run : reader.runs({})) ids.push_back(run.id);
  return ids;
}

TEST(RetentionTest, OldRunsGoInBatchesTheOldestFirst) {
  const TestStore store;
  for (const std::int64_t ended_ms : {50'000, 10'000, 30'000, 40'000, 20'000}) {
    finished_run(*store.store, result_with(Verdict::kClean), "data", "append", ended_ms);
  }
  EXPECT_THAT(remove_runs_before(*store.store, 40'000, 2), ElementsAre(2, 5));
  EXPECT_THAT(run_ids(store.reader()), ElementsAre(4, 3, 1));
  EXPECT_THAT(remove_runs_before(*store.store, 40'000, 2), ElementsAre(3));
  EXPECT_THAT(remove_runs_before(*store.store, 40'000, 2), IsEmpty()) << "a run that ended at that very time stays";
  EXPECT_THAT(remove_runs_before(*store.store, 90'000, 0), IsEmpty());
  EXPECT_THAT(run_ids(store.reader()), ElementsAre(4, 1));
}

TEST(RetentionTest, UnfinishedRunsAndTheFindingsThatAnIncidentKeepsStay) {
  const TestStore store;
  const auto found = result_with(Verdict::kCorrupt, {FindingKind::kTorn, FindingKind::kTorn});
  for (int i = 0; i < 20; ++i) finished_run(*store.store, found);
  const std::int64_t waiting = store->add_run(queued_run());
  const std::int64_t running = store->add_run(queued_run());
  store->start_run(running, 2'000);
  EXPECT_THAT(remove_runs_before(*store.store, 90'000, 100), SizeIs(20 - 6)) << "five findings each of three runs";
  EXPECT_THAT(run_ids(store.reader()), ElementsAre(running, waiting, 20, 19, 18, 3, 2, 1));
  store->acknowledge_finding(1, "alice", "", 4'000);
  EXPECT_THAT(remove_runs_before(*store.store, 90'000, 100), IsEmpty()) << "it is still there";
  raw(store.path).exec("UPDATE incidents SET state = 'resolved', resolved_at_ms = 5000");
  EXPECT_THAT(remove_runs_before(*store.store, 90'000, 100), SizeIs(6));
  EXPECT_EQ(store.reader().incident(1)->findings, 40U);
  store->remove_incidents_before(5'000);
  EXPECT_TRUE(store.reader().incident(1));
  store->remove_incidents_before(5'001);
  EXPECT_FALSE(store.reader().incident(1));
}

TEST(RetentionTest, WhatBelongsToARunGoesWithItAndTheSumsStay) {
  const TestStore store;
  store->sync_targets({known_target("data", "/data")});
  store->set_paused("data", true, "", 1'000);
  store->set_paused("data", false, "", 80'000);
  const std::int64_t id = store->add_run(queued_run(), {"me", "key", "{}"});
  store->start_run(id, 2'000);
  store->finish_run(id, result_with(Verdict::kCorrupt, {FindingKind::kTorn}), 3'000);
  raw(store.path).exec("UPDATE incidents SET state = 'resolved', resolved_at_ms = 4000");
  const auto kernels = store.reader().kernels();
  ASSERT_THAT(remove_runs_before(*store.store, 50'000, 10), SizeIs(1));
  const Reader reader = store.reader();
  EXPECT_THAT(reader.findings({}), IsEmpty());
  ASSERT_TRUE(store->run_of_key({"me", "key", "{}"}, 1'000)) << "a request that is repeated starts no second run";
  EXPECT_EQ(store->run_of_key({"me", "key", "{}"}, 1'000)->run_id, id);
  const auto events = reader.events_after(0, std::nullopt, 100);
  ASSERT_THAT(events, SizeIs(1)) << "of the events without a run, only the recent one stays";
  EXPECT_EQ(events[0].type, "target.resumed");
  ASSERT_THAT(store->totals(), SizeIs(1));
  EXPECT_EQ(store->totals()[0].runs_by_verdict[static_cast<std::size_t>(Verdict::kCorrupt)], 1U);
  EXPECT_EQ(store->totals()[0].tally.count_of(FindingKind::kTorn), 1U);
  ASSERT_THAT(reader.kernels(), SizeIs(1));
  EXPECT_EQ(reader.kernels()[0].runs, kernels[0].runs);
  EXPECT_EQ(reader.kernels()[0].last_seen_ms, kernels[0].last_seen_ms);
}

TEST(RetentionTest, RemovingGivesTheSpaceBack) {
  TestStore store;
  RunRow run = queued_run();
  run.spec_json = std::string(100'000, ' ') + "{}";
  for (int i = 0; i < 100; ++i) {
    store->finish_run(store->add_run(run), result_with(Verdict::kClean), 3'000);
  }
  store.reopen();
  const std::uint64_t before = store->size_bytes();
  EXPECT_GT(before, 100U * 100'000U);
  EXPECT_THAT(remove_runs_before(*store.store, 9'000, 100), SizeIs(100));
  int steps = 0;
  while (store->give_space_back()) ++steps;
  EXPECT_GT(steps, 2) << "a little at a time";
  store->add_run(queued_run());
  EXPECT_LT(store->size_bytes(), before / 2) << "a limit on the size must be able to be met";
  store.reopen();
  EXPECT_LT(store->size_bytes(), 1'000'000U);
}

// As an earlier version left them.
TEST(RetentionTest, FindingsThatNoIncidentKeepsGoALittleAtATime) {
  const TestStore store;
  const auto id = finished_run(*store.store, result_with(Verdict::kCorrupt, {FindingKind::kTorn}));
  FindingRow row = *store.reader().finding(1);
  SQLite::Database database = raw(store.path);
  for (int i = 0; i < 999; ++i) insert_finding(database, row);
  EXPECT_TRUE(store->thin_findings());
  EXPECT_EQ(database.execAndGet("SELECT count(*) FROM findings").getInt(), 600);
  EXPECT_TRUE(store->thin_findings());
  EXPECT_TRUE(store->thin_findings());
  EXPECT_FALSE(store->thin_findings());
  FindingFilter of_run;
  of_run.run_id = id;
  std::vector<std::int64_t> kept;
  for (const auto& finding : store.reader().findings(of_run)) kept.push_back(finding.id);
  EXPECT_THAT(kept, ElementsAre(1000, 999, 998, 997, 996, 5, 4, 3, 2, 1));
}

// The clock was behind for a while, as at a boot without a battery.
TEST(RetentionTest, ARunThatCameAfterAYoungOneIsNotOld) {
  constexpr std::int64_t kHour = 3'600'000;
  const TestStore store;
  const auto clean = result_with(Verdict::kClean);
  const auto old = finished_run(*store.store, clean, "data", "append", 10 * kHour);
  const auto young = finished_run(*store.store, clean, "data", "append", 50 * kHour);
  finished_run(*store.store, clean, "data", "append", 2 * kHour);
  finished_run(*store.store, clean, "data", "append", 2 * kHour);
  EXPECT_THAT(store->removable_runs(40 * kHour, 60 * kHour, 10), ElementsAre(old));
  EXPECT_THAT(store->removable_runs(55 * kHour, 60 * kHour, 10), ElementsAre(3, 4, old, young))
      << "once no young one came before it";
  // One that a clock ahead stamped makes nothing young.
  finished_run(*store.store, clean, "data", "append", 9'000 * kHour);
  EXPECT_THAT(store->removable_runs(55 * kHour, 60 * kHour, 10), ElementsAre(3, 4, old, young));
}

}  // namespace
}  // namespace writecanary::storage
