#include "daemon/runs/run_order.h"

#include <gtest/gtest.h>

namespace writecanary::daemon {
namespace {

TEST(RunOrder, SpecHasTheTargetsSettingsAndTheOrdersOverrides) {
  TargetConfig target;
  target.name = "data_1.x";
  target.path = "/data";
  target.fstype = "xfs";
  target.options["append"] = {{"write_bytes", 1}, {"files", 2}};
  RunOrder order{"data_1.x",   "append",     "api",        "me",           {},  5000,
                 std::nullopt, std::nullopt, std::nullopt, {{"files", 3}}, true};
  const auto made = make_spec(order, target, 12, 77, "/var/evidence");
  EXPECT_EQ(made.run_id, "12");
  EXPECT_EQ(made.seed, 77U);
  EXPECT_EQ(made.duration_ms, 5000U);
  EXPECT_EQ(made.memory_bytes, 64ULL << 20);
  EXPECT_TRUE(made.require_mount);
  EXPECT_EQ(made.expected_fstype, "xfs");
  EXPECT_EQ(made.min_free_percent, 5);
  EXPECT_TRUE(made.classic);
  EXPECT_EQ(made.options, (std::map<std::string, std::int64_t>{{"write_bytes", 1}, {"files", 3}}));
  EXPECT_EQ(made.evidence_directory, "/var/evidence/12");
  const auto sweep = make_sweep_spec(target);
  EXPECT_EQ(sweep.task, Task::kSweep);
  EXPECT_EQ(sweep.run_id, "sweep-data-1-x");
}

TEST(RunOrder, WritesEndARunUnlessItsDurationWasAskedFor) {
  TargetConfig target;
  target.settings.writes = 200;
  const auto writes = [&](const RunOrder& order) { return make_spec(order, target, 1, 1, "").writes_max; };
  RunOrder order;
  EXPECT_EQ(writes(order), 200U);
  order.duration_ms = 5000;
  EXPECT_EQ(writes(order), 0U);
  order.writes = 7;
  EXPECT_EQ(writes(order), 7U);
  RunOrder classic;
  classic.classic = true;
  EXPECT_EQ(writes(classic), 0U);
}

TEST(RunOrder, BudgetIsWhatIsLeftOfTheDay) {
  TargetConfig target;
  target.settings.bytes_per_day_max = 100;
  EXPECT_EQ(budget_left(target, 30), 70U);
  EXPECT_EQ(budget_left(target, 100), 0U);
  EXPECT_EQ(budget_left(target, 130), 0U);
  target.settings.bytes_per_day_max = 0;
  EXPECT_EQ(budget_left(target, 130), std::nullopt);
}

}  // namespace
}  // namespace writecanary::daemon
