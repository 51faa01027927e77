// The materialised sums: exact per target, profile and kernel, whatever retention and the clock do.
#include "storage/tables/totals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/storage/support.h"

namespace writecanary::storage {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

std::uint64_t runs_with(const TotalsRow& row, Verdict verdict) {
  return row.runs_by_verdict[static_cast<std::size_t>(verdict)];
}

TEST(TotalsTest, SumsArePerTargetAndProfileOverAllKernels) {
  const TestStore store;
  finished_run(*store.store, result_with(Verdict::kClean, {}, "6.1"), "data", "append", 10'000);
  finished_run(*store.store, result_with(Verdict::kCorrupt, {FindingKind::kDuplicate}, "6.9"), "data", "append",
               20'000);
  finished_run(*store.store, result_with(Verdict::kUnexposed), "data", "offset", 30'000);
  finished_run(*store.store, result_with(Verdict::kClean), "log", "append", 40'000);
  const auto totals = store->totals();
  ASSERT_THAT(totals, SizeIs(3));
  EXPECT_EQ(totals[0].target, "data");
  EXPECT_EQ(totals[0].profile, "append");
  EXPECT_EQ(runs_with(totals[0], Verdict::kClean), 1U);
  EXPECT_EQ(runs_with(totals[0], Verdict::kCorrupt), 1U);
  EXPECT_EQ(totals[0].counters.writes, 2U);
  EXPECT_EQ(totals[0].counters.oom_kills, 28U);
  EXPECT_EQ(totals[0].tally.count_of(FindingKind::kDuplicate), 1U);
  EXPECT_EQ(totals[0].tally.bytes_of(FindingKind::kDuplicate), 4'096U);
  EXPECT_EQ(totals[0].last_clean_ms, 10'000);
  EXPECT_EQ(totals[0].last_run_ms, 20'000);
  EXPECT_EQ(totals[0].last_verdict, Verdict::kCorrupt);
  EXPECT_EQ(totals[0].last_run_id, 2);
  EXPECT_EQ(totals[1].profile, "offset");
  EXPECT_EQ(totals[1].last_clean_ms, std::nullopt);
  EXPECT_EQ(totals[2].target, "log");
  EXPECT_EQ(store.reader().totals().size(), 3U);
}

TEST(TotalsTest, OfOneKernelOnlyWhatWasMadeOnIt) {
  const TestStore store;
  finished_run(*store.store, result_with(Verdict::kClean, {}, "6.1"), "data", "append", 10'000);
  finished_run(*store.store, result_with(Verdict::kCorrupt, {FindingKind::kDuplicate}, "6.9"), "data", "append",
               20'000);
  finished_run(*store.store, result_with(Verdict::kClean, {}, "6.1"), "log", "append", 30'000);
  const auto totals = store->totals_of_kernel("6.9");
  ASSERT_THAT(totals, SizeIs(1));
  EXPECT_EQ(totals[0].target, "data");
  EXPECT_EQ(totals[0].counters.writes, 1U);
  EXPECT_EQ(totals[0].tally.count_of(FindingKind::kDuplicate), 1U);
  EXPECT_EQ(runs_with(totals[0], Verdict::kClean), 0U);
  EXPECT_THAT(store->totals_of_kernel("6.18"), IsEmpty());
}

TEST(TotalsTest, TheLastRunIsTheOneThatEndedLastEvenWhenTheClockStepsBack) {
  const TestStore store;
  finished_run(*store.store, result_with(Verdict::kCorrupt), "data", "append", 90'000);
  finished_run(*store.store, result_with(Verdict::kClean), "data", "append", 10'000);
  EXPECT_EQ(store->totals()[0].last_verdict, Verdict::kClean);
  EXPECT_EQ(store->totals()[0].last_run_id, 2);
}

TEST(TotalsTest, ARunThatEndsBeforeAnEarlierOneIsNotTheLast) {
  const TestStore store;
  const std::int64_t first = store->add_run(queued_run());
  const std::int64_t second = store->add_run(queued_run());
  store->finish_run(second, result_with(Verdict::kStopped), 5'000);
  store->finish_run(first, result_with(Verdict::kClean), 6'000);
  EXPECT_EQ(store->totals()[0].last_run_id, first);
}

TEST(TotalsTest, KernelsAreListedWithTheLastSeenFirst) {
  const TestStore store;
  finished_run(*store.store, result_with(Verdict::kCorrupt, {FindingKind::kTorn}, "6.9"), "data", "append", 10'000);
  finished_run(*store.store, result_with(Verdict::kClean, {}, "6.1"), "data", "append", 20'000);
  finished_run(*store.store, result_with(Verdict::kClean, {}, "6.9"), "log", "offset", 30'000);
  RunResult no_hello = result_with(Verdict::kError);
  no_hello.kernel = {};
  finished_run(*store.store, no_hello, "data", "append", 40'000);
  const auto kernels = store.reader().kernels();
  ASSERT_THAT(kernels, SizeIs(2)) << "a run that never told its kernel makes no row";
  EXPECT_EQ(kernels[0].release, "6.9");
  EXPECT_EQ(kernels[0].runs, 2U);
  EXPECT_EQ(kernels[0].writes, 2U);
  EXPECT_EQ(kernels[0].exposures, 12U);
  EXPECT_EQ(kernels[0].tally.count_of(FindingKind::kTorn), 1U);
  EXPECT_EQ(kernels[0].first_seen_ms, 9'000) << "the start of the first run";
  EXPECT_EQ(kernels[0].last_seen_ms, 30'000) << "the end of the last run";
  EXPECT_EQ(kernels[1].release, "6.1");
}

TEST(TotalsTest, AnInterruptedRunDoesNotMakeAnOldKernelLookRecent) {
  const TestStore store;
  const std::int64_t id = store->add_run(queued_run());
  store->start_run(id, 2'000);
  store->set_facts(id, {"6.1", "", ""}, {}, {});
  store->interrupt_unfinished(9'000'000);
  EXPECT_EQ(store.reader().kernels().at(0).last_seen_ms, 2'000);
  EXPECT_EQ(store->totals().at(0).last_run_ms, 9'000'000);
}

}  // namespace
}  // namespace writecanary::storage
