// Events that somebody outside waits for: kept in the transaction in which they happen, until they are delivered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/storage/support.h"

namespace writecanary::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> waiting(const TestStore& store, std::int64_t after = 0, int limit = 100) {
  std::vector<std::string> types;
  for (const auto& event : store.reader().outbox_after(after, limit)) types.push_back(event.type);
  return types;
}

TEST(OutboxTest, KeepsIncidentsAndEndsOfRunsInOrder) {
  const TestStore store;
  store->keep_outbox(true);
  finished_run(*store.store, result_with(Verdict::kCorrupt, {FindingKind::kTorn, FindingKind::kMissing}));
  store->acknowledge_finding(1, "alice", "known", 5'000);
  EXPECT_THAT(waiting(store),
              ElementsAre("incident.opened", "incident.opened", "run.finished", "incident.acknowledged"));
  EXPECT_EQ(store->outbox_size(), 4U);
  const auto events = store.reader().outbox_after(0, 100);
  EXPECT_EQ(events[0].data_json, store->events_after(events[0].id - 1, 1)[0].data_json);
  EXPECT_THAT(waiting(store, events[1].id, 1), ElementsAre("run.finished"));
}

TEST(OutboxTest, WhatWasDeliveredGoesAndTheRestStays) {
  const TestStore store;
  store->keep_outbox(true);
  finished_run(*store.store, result_with(Verdict::kCorrupt, {FindingKind::kTorn}));
  const auto first = store.reader().outbox_after(0, 1)[0].id;
  store->remove_from_outbox(first);
  store->remove_from_outbox(first);  // told twice
  EXPECT_THAT(waiting(store), ElementsAre("run.finished"));
  EXPECT_EQ(store->last_event_id(), 4) << "the event itself stays";
}

TEST(OutboxTest, IsEmptyWhileNobodyWaits) {
  const TestStore store;
  finished_run(*store.store, result_with(Verdict::kCorrupt, {FindingKind::kTorn}));
  EXPECT_EQ(store->outbox_size(), 0U);
  store->keep_outbox(true);
  EXPECT_THAT(waiting(store), IsEmpty()) << "what was before is not told afterwards";
  finished_run(*store.store, result_with(Verdict::kClean));
  store->keep_outbox(true);
  EXPECT_THAT(waiting(store), ElementsAre("run.finished"));
  store->keep_outbox(false);
  EXPECT_EQ(store->outbox_size(), 0U);
  finished_run(*store.store, result_with(Verdict::kClean));
  EXPECT_EQ(store->outbox_size(), 0U);
}

TEST(OutboxTest, IsThereAfterARestartAndKeepsWhatTheNextStartCloses) {
  TestStore store;
  store->keep_outbox(true);
  finished_run(*store.store, result_with(Verdict::kClean));
  store->start_run(store->add_run(queued_run()), 4'000);
  store.reopen();
  store->interrupt_unfinished(9'000);
  EXPECT_THAT(waiting(store), ElementsAre("run.finished", "run.finished"));
}

TEST(OutboxTest, GoesWithItsRun) {
  const TestStore store;
  store->keep_outbox(true);
  finished_run(*store.store, result_with(Verdict::kClean));
  EXPECT_EQ(remove_runs_before(*store.store, 1'000'000'000, 10).size(), 1U);
  EXPECT_EQ(store->outbox_size(), 0U);
}

}  // namespace
}  // namespace writecanary::storage
