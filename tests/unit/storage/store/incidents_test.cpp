// The course of incidents over many runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "storage/tables/documents.h"
#include "tests/unit/storage/support.h"

namespace writecanary::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kOld = "6.1.170";
constexpr const char* kNew = "6.1.176";
constexpr std::int64_t kDayMs = 24LL * 3600 * 1000;

class IncidentsTest : public testing::Test {
 protected:
  // A run of so many exposures with so many findings.
  std::int64_t run(std::uint64_t exposures, std::uint64_t findings, const char* release = kOld,
                   FindingKind kind = FindingKind::kTorn) {
    auto result = result_with(findings == 0 ? Verdict::kClean : Verdict::kCorrupt, {}, release);
    result.end.counters.exposures = exposures;
    for (std::uint64_t i = 0; i < findings; ++i) {
      result.findings.push_back(full_finding(kind));
      result.findings.back().offset_bytes = i;
      result.end.tally.add(kind, 8);
    }
    now_ms_ += 15 * 60'000;
    return finished_run(*store_.store, result, "data", "append", now_ms_);
  }
  IncidentRow incident(std::int64_t id = 1) { return *store_.reader().incident(id); }
  std::vector<std::string> events() {
    std::vector<std::string> types;
    for (const auto& event : store_->events_after(0, 10'000)) {
      if (event.type.starts_with("incident.")) types.push_back(event.type);
    }
    return types;
  }
  std::vector<std::int64_t> acknowledge(KnownUntil until = KnownUntil::kKernel, std::optional<std::int64_t> at = {}) {
    return store_->acknowledge({}, {now_ms_, "alice", "we know", until, at});
  }

  TestStore store_;
  std::int64_t now_ms_ = 20'000 * kDayMs;
};

TEST_F(IncidentsTest, ADayOfFindingsIsOneIncidentAndAFewFindings) {
  for (int i = 0; i < 96; ++i) run(1'000, 200);
  ASSERT_THAT(store_->open_incidents(), SizeIs(1));
  const IncidentRow row = incident();
  EXPECT_EQ(row.findings, 96U * 200);
  EXPECT_EQ(row.runs_with, 96U);
  EXPECT_EQ(row.all_exposures(), 96'000U);
  EXPECT_EQ(row.last_seen_ms - row.first_seen_ms, 95 * 15 * 60'000);
  EXPECT_THAT(events(), ElementsAre("incident.opened"));
  FindingFilter all;
  all.limit = 1'000;
  std::vector<std::pair<std::int64_t, std::uint64_t>> kept;
  for (const auto& finding : store_.reader().findings(all)) {
    kept.emplace_back(finding.run_id, finding.finding.offset_bytes);
  }
  using Pair = std::pair<std::int64_t, std::uint64_t>;
  EXPECT_THAT(kept, ElementsAre(Pair(96, 4), Pair(96, 3), Pair(96, 2), Pair(96, 1), Pair(96, 0), Pair(1, 4), Pair(1, 3),
                                Pair(1, 2), Pair(1, 1), Pair(1, 0)));
  EXPECT_EQ(store_->totals().at(0).tally.count_of(FindingKind::kTorn), 96U * 200) << "the counters count all";
  EXPECT_THAT(store_.reader().runs_with_findings(), ElementsAre(1, 96));
}

TEST_F(IncidentsTest, EachKindProfileAndReleaseIsAnother) {
  run(1'000, 1);
  run(1'000, 1, kOld, FindingKind::kDuplicate);
  run(1'000, 1, kNew);
  EXPECT_THAT(store_->open_incidents(), SizeIs(3));
  EXPECT_EQ(incident(2).exposures_before, 1'000U) << "without it";
  EXPECT_EQ(incident(2).runs_before, 1U);
  EXPECT_EQ(incident(2).exposures, 1'000U);
  EXPECT_EQ(incident(3).exposures_before, 0U) << "of another release";
  IncidentFilter filter;
  filter.finding_class = FindingClass::kCorruption;
  ASSERT_THAT(store_.reader().incidents(filter), SizeIs(1));
  EXPECT_EQ(store_.reader().incidents(filter)[0].id, 2);
  filter = {};
  filter.release = kNew;
  EXPECT_THAT(store_.reader().incidents(filter), SizeIs(1));
}

TEST_F(IncidentsTest, ResolvesByMeasurementOnItsOwnReleaseAndIsReopenedByTheNextFinding) {
  run(1'000, 200);
  run(600, 0);
  run(600, 0);
  EXPECT_EQ(incident().state, IncidentState::kOpen) << "enough exposures, but two runs are few";
  run(0, 0);
  EXPECT_EQ(incident().here.runs, 2U) << "a run that was not exposed says nothing";
  run(600, 0);
  EXPECT_EQ(incident().state, IncidentState::kResolved);
  EXPECT_EQ(incident().resolved_on, kOld);
  EXPECT_EQ(incident().resolved_at_ms, now_ms_);
  EXPECT_THAT(acknowledge(), IsEmpty());
  run(1'000, 1);
  EXPECT_EQ(incident().state, IncidentState::kOpen);
  EXPECT_EQ(incident().times_opened, 2U);
  EXPECT_EQ(incident().here.exposures, 0U);
  EXPECT_THAT(events(), ElementsAre("incident.opened", "incident.resolved", "incident.reopened"));
}

TEST_F(IncidentsTest, WhatIsRareTakesLonger) {
  for (int i = 0; i < 99; ++i) run(10'000, 0);
  run(10'000, 1);
  for (int i = 0; i < 687; ++i) run(1'000'000, 0);
  EXPECT_EQ(incident().state, IncidentState::kOpen) << "1 of 100 runs had it";
  run(1'000'000, 0);
  EXPECT_EQ(incident().state, IncidentState::kResolved);
}

TEST_F(IncidentsTest, BootingIntoTheFixResolvesAndAccusesNobody) {
  run(1'000, 200);
  acknowledge();
  for (int i = 0; i < 3; ++i) run(1'000, 0, kNew);
  EXPECT_EQ(incident().state, IncidentState::kResolved);
  EXPECT_EQ(incident().resolved_on, kNew);
  EXPECT_THAT(store_->open_incidents(), IsEmpty());
  EXPECT_FALSE(store_.reader().incident(2));
  run(1'000, 3);
  EXPECT_EQ(incident().state, IncidentState::kOpen) << "booted back";
  EXPECT_EQ(incident().known, std::nullopt) << "it was known as long as it was there";
}

TEST_F(IncidentsTest, AReleaseThatHasItTooProvesNothing) {
  run(1'000, 200);
  run(1'000, 0, kNew);
  run(1'000, 0, kNew);
  run(1'000, 5, kNew);
  run(1'000, 0, kNew);
  EXPECT_EQ(incident(1).state, IncidentState::kOpen);
  EXPECT_EQ(incident(1).elsewhere.runs, 1U);
  EXPECT_EQ(incident(2).state, IncidentState::kOpen);
  run(1'000, 0, "6.12.94");
  EXPECT_EQ(incident(1).elsewhere.release, "6.12.94");
  EXPECT_EQ(incident(1).elsewhere.runs, 1U) << "begins anew on each release";
}

TEST_F(IncidentsTest, ARunThatDidNotEndWellSaysNothing) {
  run(1'000, 200);
  for (const Verdict verdict : {Verdict::kError, Verdict::kStopped, Verdict::kStuck}) {
    auto result = result_with(verdict, {}, kOld);
    result.end.counters.exposures = 10'000;
    finished_run(*store_.store, result, "data", "append", now_ms_);
  }
  EXPECT_EQ(incident().here.runs, 0U);
  EXPECT_EQ(incident().all_exposures(), 1'000U);
}

TEST_F(IncidentsTest, WhatIsKnownStaysSoUntilTheKernelChanges) {
  run(1'000, 10);
  EXPECT_THAT(acknowledge(), ElementsAre(1));
  run(1'000, 900);
  EXPECT_EQ(incident().state, IncidentState::kKnown);
  EXPECT_TRUE(store_.reader().finding(6)->acknowledged_at_ms) << "a new finding of what is known";
  run(1'000, 10, kNew);
  ASSERT_THAT(store_->open_incidents(), SizeIs(1));
  EXPECT_EQ(store_->open_incidents()[0].kernel_release, kNew);
  EXPECT_THAT(events(), ElementsAre("incident.opened", "incident.acknowledged", "incident.opened"));
}

TEST_F(IncidentsTest, WhatIsKnownUntilItsRateRisesOpensWhenItDoes) {
  run(100'000, 100);
  acknowledge(KnownUntil::kRate);
  run(100'000, 110);
  EXPECT_EQ(incident().state, IncidentState::kKnown);
  run(100'000, 300);
  EXPECT_EQ(incident().state, IncidentState::kOpen);
  const auto events = store_->events_after(0, 100);
  const auto reopened = std::ranges::find(events, "incident.reopened", &EventRow::type);
  ASSERT_NE(reopened, events.end());
  EXPECT_EQ(nlohmann::json::parse(reopened->data_json).at("why"), "its rate rose");
}

TEST_F(IncidentsTest, WhatIsKnownUntilADateOpensThen) {
  run(1'000, 10);
  const auto until = now_ms_ + kDayMs;
  acknowledge(KnownUntil::kDate, until);
  EXPECT_FALSE(store_->reopen_due_incidents(until - 1));
  EXPECT_EQ(incident().state, IncidentState::kKnown);
  EXPECT_TRUE(store_->reopen_due_incidents(until));
  EXPECT_FALSE(store_->reopen_due_incidents(until));
  EXPECT_EQ(incident().state, IncidentState::kOpen);
  EXPECT_THAT(events(), ElementsAre("incident.opened", "incident.acknowledged", "incident.reopened"));
}

TEST_F(IncidentsTest, SomeAreAcknowledgedByWhatTheyAre) {
  run(1'000, 1);
  run(1'000, 1, kOld, FindingKind::kDuplicate);
  run(1'000, 1, kNew);
  IncidentFilter torn;
  torn.kind = FindingKind::kTorn;
  EXPECT_THAT(store_->acknowledge(torn, {now_ms_, "alice", "", KnownUntil::kKernel, {}}), ElementsAre(3, 1));
  ASSERT_THAT(store_->open_incidents(), SizeIs(1));
  EXPECT_EQ(store_->open_incidents()[0].kind, FindingKind::kDuplicate);
}

TEST_F(IncidentsTest, TheStripHasADayForEachDay) {
  for (int i = 0; i < 96 * 2; ++i) run(1'000, i % 2);
  const auto days = store_.reader().incident_days(1);
  std::uint64_t runs = 0, with = 0, exposures = 0, findings = 0;
  for (const auto& day : days) {
    runs += day.runs;
    with += day.runs_with;
    exposures += day.exposures;
    findings += day.findings;
  }
  EXPECT_THAT(days, SizeIs(testing::Ge(2U)));
  EXPECT_EQ(runs, incident().runs);
  EXPECT_EQ(with, incident().runs_with);
  EXPECT_EQ(exposures, incident().exposures);
  EXPECT_EQ(findings, incident().findings);
}

TEST_F(IncidentsTest, ADayOfTheDefaultConfigurationLeavesADatabaseOfAFewMegabytes) {
  const auto before = store_->size_bytes();
  for (int i = 0; i < 96; ++i) {
    run(2'000, 200);
    run(2'000, 0, kOld);
    run(2'000, 3, kOld, FindingKind::kNowaitContract);
  }
  EXPECT_LT(store_->size_bytes() - before, 5'000'000U);
}

}  // namespace
}  // namespace writecanary::storage
