// Durable events: written with what they tell of, in order, with the documents that the API shows.
#include "storage/tables/events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/tables/documents.h"
#include "tests/unit/storage/support.h"

namespace writecanary::storage {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> types(const std::vector<EventRow>& events) {
  std::vector<std::string> names;
  names.reserve(events.size());
  for (const EventRow& event : events) names.push_back(event.type);
  return names;
}

TEST(EventsTest, ARunsLifeIsToldInOrder) {
  const TestStore store;
  store->sync_targets({known_target("data", "/data")});
  const std::int64_t id = finished_run(*store.store, result_with(Verdict::kCorrupt, {FindingKind::kTorn}));
  store->acknowledge_finding(1, "alice", "known", 5'000);
  store->set_paused("data", true, "why", 6'000);
  store->set_paused("data", false, "", 7'000);
  const auto events = store->events_after(0, 100);
  EXPECT_THAT(types(events), ElementsAre("run.queued", "run.started", "incident.opened", "run.finished",
                                         "incident.acknowledged", "target.paused", "target.resumed"));
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].id, static_cast<std::int64_t>(i) + 1);
    EXPECT_EQ(events[i].target, "data");
    EXPECT_EQ(events[i].run_id, i < 4 ? std::optional(id) : std::nullopt);
    const json data = json::parse(events[i].data_json);
    EXPECT_EQ(data.at("target"), "data");
    EXPECT_EQ(data.value("run_id", std::int64_t{0}), i < 4 ? id : 0);
  }
  EXPECT_EQ(events[0].at_ms, 1'000);
  EXPECT_EQ(events[3].at_ms, 3'000);
  EXPECT_EQ(events[4].at_ms, 5'000);
  EXPECT_EQ(store->last_event_id(), 7);
}

TEST(EventsTest, FinishedRunsAndIncidentsCarryTheDocumentsOfTheApi) {
  const TestStore store;
  finished_run(*store.store, result_with(Verdict::kCorrupt, {FindingKind::kTorn}));
  const Reader reader = store.reader();
  json opened = incident_json(*reader.incident(1));
  opened.update({{"incident_id", 1}, {"finding_id", 1}, {"run_id", 1}});
  store->acknowledge_finding(1, "alice", "known", 5'000);
  const auto events = reader.events_after(2, std::nullopt, 2);
  ASSERT_THAT(types(events), ElementsAre("incident.opened", "run.finished"));
  EXPECT_EQ(json::parse(events[0].data_json), opened) << "as it was then, although it is acknowledged by now";
  json finished = run_json(*reader.run(1));
  finished["run_id"] = 1;
  EXPECT_EQ(json::parse(events[1].data_json), finished);
}

TEST(EventsTest, ReadingGoesOnWhereItStoppedAndCanBeOfOneRun) {
  const TestStore store;
  const std::int64_t first = store->add_run(queued_run());
  const std::int64_t second = store->add_run(queued_run());
  store->start_run(first, 2'000);
  const Reader reader = store.reader();
  EXPECT_THAT(types(reader.events_after(0, std::nullopt, 2)), ElementsAre("run.queued", "run.queued"));
  EXPECT_THAT(types(reader.events_after(2, std::nullopt, 2)), ElementsAre("run.started"));
  EXPECT_THAT(reader.events_after(3, std::nullopt, 2), IsEmpty());
  EXPECT_THAT(types(reader.events_after(0, first, 10)), ElementsAre("run.queued", "run.started"));
  EXPECT_THAT(types(reader.events_after(0, second, 10)), ElementsAre("run.queued"));
  EXPECT_THAT(reader.events_after(0, std::nullopt, -1), IsEmpty()) << "a negative limit is none, not no limit";
}

TEST(EventsTest, IdsAreNotUsedAgainAfterRetention) {
  TestStore store;
  EXPECT_EQ(store->last_event_id(), 0);
  finished_run(*store.store, result_with(Verdict::kClean));
  EXPECT_EQ(remove_runs_before(*store.store, 9'000, 10).size(), 1U);
  EXPECT_THAT(store->events_after(0, 10), IsEmpty());
  store.reopen();
  EXPECT_EQ(store->add_run(queued_run()), 2);
  EXPECT_EQ(store->last_event_id(), 4);
}

TEST(EventsTest, TextThatIsNotUtf8DoesNotStopARunFromEnding) {
  const TestStore store;
  RunResult result = result_with(Verdict::kCorrupt, {FindingKind::kForeign});
  result.end.reason = "caf\xe9";
  result.findings[0].detail = "caf\xe9";
  const std::int64_t id = store->add_run(queued_run());
  store->finish_run(id, result, 3'000);
  EXPECT_EQ(store.reader().finding(1)->finding.detail, "caf\\xe9");
  EXPECT_EQ(json::parse(store->events_after(2, 1).at(0).data_json).at("reason"), "caf\\xe9");
}

}  // namespace
}  // namespace writecanary::storage
