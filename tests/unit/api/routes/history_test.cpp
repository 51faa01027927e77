#include <gmock/gmock.h>

#include "tests/unit/api/api_fixture.h"

namespace writecanary::api::test {
namespace {

using HistoryTest = ApiTest;

TEST_F(HistoryTest, ADayOfActivityUnlessTold) {
  daemon.run_once("data", "append", Verdict::kClean);
  daemon.run_once("data", "append", Verdict::kCorrupt, {duplicate_finding()});
  daemon.run_once("logs", "append", Verdict::kClean);
  const auto activity = get("/api/v1/activity");
  EXPECT_EQ(activity["step_seconds"], 86'400);
  ASSERT_EQ(activity["items"].size(), 1U);
  const auto& item = activity["items"][0];
  EXPECT_EQ(item["from"], activity["since"]);
  EXPECT_EQ(item["kernel_release"], "6.1.170");
  EXPECT_EQ(item["target"], nullptr);
  EXPECT_EQ(item["writes"], 300);
  EXPECT_EQ(item["exposures"], 297);
  EXPECT_EQ(item["runs_by_verdict"], (json{{"clean", 2}, {"corrupt", 1}}));
  EXPECT_EQ(item["finding_counts"], (json{{"duplicate", 1}}));
  clock.now_ms += 25LL * 3'600'000;
  EXPECT_TRUE(get("/api/v1/activity")["items"].empty());
}

TEST_F(HistoryTest, ActivityByProfileAndStep) {
  daemon.run_once("data", "append", Verdict::kClean);
  clock.now_ms += 3'600'000;
  daemon.run_once("data", "nowait-contract", Verdict::kClean);
  const auto items = get("/api/v1/activity?by=profile&since=1780000000&step_seconds=3600")["items"];
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0]["profile"], "append");
  EXPECT_EQ(items[0]["from"], "2026-05-28T20:26:40.000Z");
  EXPECT_EQ(items[1]["profile"], "nowait-contract");
  EXPECT_EQ(items[1]["from"], "2026-05-28T21:26:40.000Z");
  EXPECT_EQ(get("/api/v1/activity?target=logs")["items"].size(), 0U);
}

TEST_F(HistoryTest, ActivityIsBounded) {
  const auto refused = [&](const std::string& query, const std::string& field) {
    EXPECT_EQ(get("/api/v1/activity?" + query, 400)["errors"][0]["field"], field) << query;
  };
  refused("since=1700000000", "since");                   // years
  refused("since=1780000100&until=1780000000", "since");  // backwards
  refused("step_seconds=1", "step_seconds");              // 86,400 points
  refused("step_seconds=0", "step_seconds");
  refused("step_seconds=99999999999", "step_seconds");
  refused("by=target", "by");
  refused("kernel=6.1", "kernel");
}

TEST_F(HistoryTest, TheLastRunsOfEachTargetAndProfile) {
  daemon.run_once("data", "append", Verdict::kClean);
  const auto second = daemon.run_once("data", "append", Verdict::kCorrupt, {duplicate_finding()});
  daemon.run_once("logs", "append", Verdict::kUnexposed);
  const auto items = get("/api/v1/history?limit=1")["items"];
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0]["target"], "data");
  ASSERT_EQ(items[0]["runs"].size(), 1U);
  EXPECT_EQ(items[0]["runs"][0]["id"], second);
  EXPECT_EQ(items[0]["runs"][0]["verdict"], "corrupt");
  EXPECT_EQ(items[0]["runs"][0]["findings"], 1);
  EXPECT_EQ(items[0]["runs"][0]["exposures"], 99);
  EXPECT_EQ(get("/api/v1/history?target=logs")["items"][0]["runs"][0]["verdict"], "unexposed");
  EXPECT_EQ(get("/api/v1/history?limit=0", 400)["errors"][0]["field"], "limit");
}

TEST_F(HistoryTest, HasPagesThatArrivalsDoNotShift) {
  const auto profile = [](int number) { return "p" + std::to_string(100 + number); };
  for (int number = 0; number < 25; ++number) daemon.run_once("data", profile(number), Verdict::kClean);
  // 10,000 runs on a page are 20 rows of 500.
  const auto first = get("/api/v1/history?limit=500");
  ASSERT_EQ(first["items"].size(), 20U);
  EXPECT_EQ(first["items"][19]["profile"], profile(19));
  daemon.run_once("data", "p0", Verdict::kClean);
  const auto rest = get("/api/v1/history?limit=500&cursor=" + first["next_cursor"].get<std::string>());
  ASSERT_EQ(rest["items"].size(), 5U);
  EXPECT_EQ(rest["items"][0]["profile"], profile(20));
  EXPECT_TRUE(rest["next_cursor"].is_null());
  EXPECT_TRUE(get("/api/v1/history?limit=50")["next_cursor"].is_null());
  EXPECT_EQ(get("/api/v1/history?cursor=x", 400)["errors"][0]["field"], "cursor");
}

}  // namespace
}  // namespace writecanary::api::test
