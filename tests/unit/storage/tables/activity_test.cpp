// What happened when: exact sums per stretch of time, and the last runs of each target and profile.
#include "storage/tables/activity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/storage/support.h"

namespace writecanary::storage {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr std::int64_t kHour = 3'600'000;
constexpr std::uint64_t kExposures = 6;  // of one run of result_with, whose counters are 1, 2, 3, ...

std::uint64_t runs_with(const ActivityRow& row, Verdict verdict) {
  return row.runs_by_verdict[static_cast<std::size_t>(verdict)];
}

// A run that was queued at this time: that is the time that counts.
std::int64_t run_at(const TestStore& store, std::int64_t queued_ms, const RunResult& result,
                    const std::string& target = "data", const std::string& profile = "append") {
  return finished_run(*store.store, result, target, profile, queued_ms + 2'000);
}

ActivityFilter hours(int from, int to) {
  ActivityFilter filter;
  filter.since_ms = from * kHour;
  filter.until_ms = to * kHour;
  filter.step_ms = kHour;
  return filter;
}

TEST(ActivityTest, SumsPerStepAndKernel) {
  const TestStore store;
  const RunResult torn = result_with(Verdict::kCorrupt, {FindingKind::kTorn, FindingKind::kTorn}, "6.9");
  run_at(store, 1 * kHour, result_with(Verdict::kClean, {}, "6.1"));
  run_at(store, 1 * kHour + 1, torn);
  run_at(store, 2 * kHour - 1, torn, "log", "offset");
  run_at(store, 2 * kHour, result_with(Verdict::kClean, {}, "6.9"));
  const auto rows = store.reader().activity(hours(1, 3));
  ASSERT_THAT(rows, SizeIs(3));
  EXPECT_EQ(rows[0].from_ms, 1 * kHour);
  EXPECT_EQ(rows[0].kernel, "6.1");
  EXPECT_EQ(rows[0].exposures, kExposures);
  EXPECT_EQ(rows[0].target, "");
  EXPECT_EQ(rows[1].kernel, "6.9");
  EXPECT_EQ(runs_with(rows[1], Verdict::kCorrupt), 2U);
  EXPECT_EQ(rows[1].tally.count_of(FindingKind::kTorn), 4U);
  EXPECT_EQ(rows[1].tally.bytes_of(FindingKind::kTorn), 4 * 4'096U);
  EXPECT_EQ(rows[1].writes, 2U);
  EXPECT_EQ(rows[2].from_ms, 2 * kHour);
  EXPECT_EQ(runs_with(rows[2], Verdict::kClean), 1U);
}

TEST(ActivityTest, CanTellTargetsAndProfilesApart) {
  const TestStore store;
  run_at(store, kHour, result_with(Verdict::kClean), "data", "append");
  run_at(store, kHour, result_with(Verdict::kUnexposed), "data", "append");
  run_at(store, kHour, result_with(Verdict::kClean), "data", "offset");
  run_at(store, kHour, result_with(Verdict::kClean), "log", "append");
  ActivityFilter filter = hours(0, 24);
  filter.by_profile = true;
  const auto rows = store.reader().activity(filter);
  ASSERT_THAT(rows, SizeIs(3));
  EXPECT_EQ(rows[0].target + " " + rows[0].profile, "data append");
  EXPECT_EQ(rows[0].exposures, 2 * kExposures);
  EXPECT_EQ(rows[1].target + " " + rows[1].profile, "data offset");
  EXPECT_EQ(rows[2].target + " " + rows[2].profile, "log append");
  filter.target = "data";
  EXPECT_THAT(store.reader().activity(filter), SizeIs(2));
  filter.profile = "offset";
  EXPECT_THAT(store.reader().activity(filter), SizeIs(1));
}

TEST(ActivityTest, BeginsAtSinceEndsBeforeUntilAndKnowsFinishedRunsOnly) {
  const TestStore store;
  run_at(store, kHour - 1, result_with(Verdict::kClean));
  run_at(store, kHour, result_with(Verdict::kClean));
  run_at(store, 2 * kHour, result_with(Verdict::kClean));
  store->add_run(queued_run("data", "append", kHour + 5));
  const auto rows = store.reader().activity(hours(1, 2));
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(runs_with(rows[0], Verdict::kClean), 1U);
  EXPECT_THAT(store.reader().activity(hours(5, 6)), IsEmpty());
}

TEST(HistoryTest, TheLastRunsOldestFirst) {
  const TestStore store;
  for (int i = 1; i <= 5; ++i) run_at(store, i * kHour, result_with(Verdict::kClean));
  const auto last = run_at(store, 6 * kHour, result_with(Verdict::kCorrupt, {FindingKind::kStale}));
  run_at(store, 7 * kHour, result_with(Verdict::kClean), "log", "offset");
  store->add_run(queued_run());
  const auto rows = store.reader().history({std::nullopt, std::nullopt, 3});
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[0].target + " " + rows[0].profile, "data append");
  ASSERT_THAT(rows[0].runs, SizeIs(3));
  EXPECT_EQ(rows[0].runs[0].id, last - 2);
  EXPECT_EQ(rows[0].runs[2].id, last);
  EXPECT_EQ(rows[0].runs[2].verdict, Verdict::kCorrupt);
  EXPECT_EQ(rows[0].runs[2].findings, 1U);
  EXPECT_EQ(rows[0].runs[2].exposures, kExposures);
  EXPECT_EQ(rows[0].runs[2].finished_at_ms, 6 * kHour + 2'000);
  EXPECT_THAT(store.reader().history({"log", std::nullopt, 3}), SizeIs(1));
  EXPECT_THAT(store.reader().history({std::nullopt, "append", 3}), SizeIs(1));
  EXPECT_THAT(store.reader().history({"log", "append", 3}), IsEmpty());
}

}  // namespace
}  // namespace writecanary::storage
