// Keys of requests, the day's bytes, and what a daemon asks its database about itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <string>
#include <tuple>

#include "tests/unit/storage/support.h"

namespace writecanary::storage {
namespace {

TEST(UpkeepTest, IdempotencyKeysLiveADayAndTheFirstOneWins) {
  TestStore store;
  constexpr std::int64_t kDayMs = 24LL * 3600 * 1000;
  const RequestKey key{"me", "k", "{}"};
  const auto run_of = [&](std::int64_t now_ms) {
    const auto found = store->run_of_key(key, now_ms);
    return found ? found->run_id : 0;
  };
  EXPECT_EQ(run_of(1'000), 0);
  const std::int64_t first = store->add_run(queued_run("data", "append", 1'000), key);
  store->add_run(queued_run("data", "append", 2'000), key);
  store.reopen();
  EXPECT_EQ(run_of(1'000 + kDayMs - 1), first);
  EXPECT_EQ(run_of(1'000 + kDayMs), 0);
  const std::int64_t second = store->add_run(queued_run("data", "append", 1'000 + kDayMs), key);
  EXPECT_EQ(run_of(1'000 + kDayMs), second);
}

TEST(UpkeepTest, AnIdempotencyKeyIsItsCallersAndKnowsItsRequest) {
  const TestStore store;
  const std::int64_t mine = store->add_run(queued_run("data", "append", 1'000), {"me", "k", "{1}"});
  EXPECT_FALSE(store->run_of_key({"you", "k", "{1}"}, 2'000));
  const std::int64_t yours = store->add_run(queued_run("data", "append", 1'000), {"you", "k", "{2}"});
  EXPECT_EQ(store->run_of_key({"me", "k", "{1}"}, 2'000)->run_id, mine);
  EXPECT_TRUE(store->run_of_key({"me", "k", "{1}"}, 2'000)->same_request);
  EXPECT_FALSE(store->run_of_key({"me", "k", "{2}"}, 2'000)->same_request);
  EXPECT_EQ(store->run_of_key({"you", "k", "{2}"}, 2'000)->run_id, yours);

  const std::int64_t earlier = store->add_run(queued_run("data", "append", 1'000), {"", "of an earlier version", ""});
  const auto found = store->run_of_key({"me", "of an earlier version", "{1}"}, 2'000);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->run_id, earlier);
  EXPECT_TRUE(found->same_request);
}

TEST(UpkeepTest, IdempotencyKeysGoByTheTimeThatTheCallerBelieves) {
  const TestStore store;
  constexpr std::int64_t kYearMs = 365LL * 24 * 3600 * 1000;
  const std::int64_t first = store->add_run(queued_run("data", "append", 1'000), {"me", "k", "{}"}, 1'000);
  store->add_run(queued_run("data", "append", 2'000 + kYearMs), {"me", "other", "{}"}, 2'000);
  const auto found = store->run_of_key({"me", "k", "{}"}, 3'000);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->run_id, first);
}

TEST(UpkeepTest, TheSpecMayBeMadeOfTheNumber) {
  const TestStore store;
  const auto spec_of = [](std::int64_t id) { return "{\"run_id\":" + std::to_string(id) + ",\"seed\":11}"; };
  const auto id = store->add_run(queued_run(), {}, std::nullopt, spec_of);
  EXPECT_EQ(store.reader().run(id)->spec_json, "{\"run_id\":1,\"seed\":11}");
  EXPECT_EQ(store.reader().run(id)->result.seed, 11U);
}

TEST(UpkeepTest, ADatabaseThatCannotGrowIsNotWritableBeforeItCan) {
  const TestStore store;
  EXPECT_NO_THROW(store->prove_writable());
  SQLite::Database other = raw(store.path);
  other.exec("CREATE TRIGGER full BEFORE INSERT ON facts BEGIN SELECT RAISE(ABORT, 'disk full'); END");
  const auto before = storage_errors_total();
  EXPECT_THAT(storage_error([&] { store->prove_writable(); }), testing::HasSubstr("write to the database again"));
  EXPECT_EQ(storage_errors_total(), before + 1);
  other.exec("DROP TRIGGER full");
  EXPECT_NO_THROW(store->prove_writable());
  EXPECT_EQ(store->fact("proof"), std::nullopt) << "nothing stays";
  EXPECT_EQ(storage_errors_total(), before + 1);
}

TEST(UpkeepTest, TheNewestRunSaysWhenItWas) {
  const TestStore store;
  EXPECT_EQ(store->newest_run_ms(), std::nullopt);
  finished_run(*store.store, result_with(Verdict::kClean), "data", "append", 90'000);
  EXPECT_EQ(store->newest_run_ms(), 90'000);
  store->add_run(queued_run("data", "append", 70'000));
  EXPECT_EQ(store->newest_run_ms(), 70'000) << "the newest, whatever time it carries";
}

TEST(UpkeepTest, BytesWrittenAreSummedPerTargetWithinATime) {
  constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();
  const TestStore store;
  RunResult result = result_with(Verdict::kClean);
  for (const auto& [target, ended_ms, bytes] :
       {std::tuple{"data", 10'000, 1U}, {"data", 20'000, 10U}, {"data", 30'000, 100U}, {"log", 30'000, 1'000U}}) {
    result.end.counters.bytes_written = bytes;
    finished_run(*store.store, result, target, "append", ended_ms);
  }
  store->add_run(queued_run());
  EXPECT_EQ(store->bytes_written_between("data", 20'000, kForever), 110U)
      << "a run that ended at that very time counts";
  EXPECT_EQ(store->bytes_written_between("data", 20'001, kForever), 100U);
  EXPECT_EQ(store->bytes_written_between("data", 0, 30'000), 11U) << "one that ended at that very time does not";
  EXPECT_EQ(store->bytes_written_between("log", 0, kForever), 1'000U);
  EXPECT_EQ(store->bytes_written_between("tape", 0, kForever), 0U);
  result.end.counters.bytes_written = std::numeric_limits<std::uint64_t>::max();
  finished_run(*store.store, result, "data", "append", 40'000);
  EXPECT_EQ(store->bytes_written_between("data", 0, kForever), std::numeric_limits<std::uint64_t>::max())
      << "no overflow to small";
}
}  // namespace
}  // namespace writecanary::storage
