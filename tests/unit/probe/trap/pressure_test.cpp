#include "probe/trap/pressure.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/base/fd.h"
#include "tests/unit/temporary_directory.h"

namespace writecanary::probe {
namespace {

// The control files of a cgroup as plain files: what is written can be read back.
class FakeCgroup : public testing::Test {
 protected:
  void put(const std::string& name, const std::string& text) { std::ofstream(directory_ + "/" + name) << text; }
  std::string get(const std::string& name) { return read_file(directory_ + "/" + name); }
  PressureFacts facts(const std::string& backend) { return {backend, directory_, ""}; }

  TemporaryDirectory made_;
  std::string directory_ = made_.path();
};

TEST(HeadroomPlan, NoWriteFitsIntoHeadroomPlusBatch) {
  for (const std::uint64_t page : {4096ULL, 16384ULL, 65536ULL}) {
    for (const std::uint64_t unit : {page, 2 * page, 16 * page}) {
      const HeadroomPlan plan = headroom_plan(page, unit);
      EXPECT_GE(plan.headroom, 3 * unit) << "room for a block, and for the one that is not met";
      EXPECT_GT(plan.write_min, plan.headroom + 64 * page + unit);
      EXPECT_GT(plan.write_max, plan.write_min);
    }
  }
  EXPECT_EQ(headroom_plan(4096, 4096).headroom, 12U * 4096);
  EXPECT_LT(headroom_plan(4096, 65536).write_max, 1U << 20) << "a write stays below 1 MiB";
  EXPECT_LT(headroom_plan(4096, 4096).write_max, 512U << 10) << "a write stays below 512 KiB";
}

TEST_F(FakeCgroup, Version2MovesTheLimitToTheUsageAndBack) {
  put("memory.max", "0");
  put("memory.current", "1000000\n");
  Pressure pressure(facts("cgroup2"), 67108864);
  ASSERT_TRUE(pressure.available());
  EXPECT_EQ(get("memory.max"), "67108864");
  EXPECT_TRUE(pressure.tighten(49152));
  EXPECT_EQ(get("memory.max").substr(0, 7), "1049152");
  pressure.relieve();
  EXPECT_EQ(get("memory.max"), "67108864");
}

TEST_F(FakeCgroup, ReclaimIsAskedForByItsOwnFileElseThroughALimitThatIsPutBack) {
  put("memory.max", "0");
  put("memory.current", "1000000\n");
  put("memory.reclaim", "");
  Pressure pressure(facts("cgroup2"), 67108864);
  EXPECT_TRUE(pressure.reclaim(400000));
  EXPECT_EQ(get("memory.reclaim"), "400000");
  EXPECT_EQ(get("memory.max"), "67108864") << "no limit that kills was touched";
  std::filesystem::remove(directory_ + "/memory.reclaim");
  put("memory.high", "max\n");
  EXPECT_TRUE(pressure.reclaim(400000));
  EXPECT_EQ(get("memory.high").substr(0, 3), "max") << "as before";
  std::filesystem::remove(directory_ + "/memory.high");
  EXPECT_FALSE(pressure.reclaim(400000));
  Pressure none({"none", "", "nobody gave one"}, 0);
  EXPECT_FALSE(none.reclaim(1));
}

TEST_F(FakeCgroup, Version1UsesItsOwnNamesAndForbidsTheKill) {
  put("memory.limit_in_bytes", "0");
  put("memory.usage_in_bytes", "5000\n");
  put("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
  Pressure pressure(facts("cgroup1"), 0);
  ASSERT_TRUE(pressure.available());
  EXPECT_EQ(get("memory.limit_in_bytes").substr(0, 2), "-1");
  EXPECT_EQ(get("memory.oom_control")[0], '1');
}

TEST_F(FakeCgroup, EventsComeFromTheRightFiles) {
  put("memory.max", "0");
  put("memory.current", "1\n");
  put("memory.events", "low 0\nhigh 0\nmax 17\noom 2\noom_kill 1\noom_group_kill 0\n");
  RunCounters counters;
  Pressure(facts("cgroup2"), 1).read_events(counters);
  EXPECT_EQ(counters.limit_hits, 17U);
  EXPECT_EQ(counters.oom_kills, 1U);
}

TEST_F(FakeCgroup, SaysWhichFileCannotBeUsed) {
  Pressure pressure(facts("cgroup2"), 67108864);
  EXPECT_FALSE(pressure.available());
  EXPECT_EQ(pressure.facts().backend, "none");
  EXPECT_NE(pressure.facts().reason.find(directory_ + "/memory.max"), std::string::npos);
  EXPECT_FALSE(pressure.tighten(4096));
  pressure.relieve();  // does nothing
}

TEST(Pressure, WithoutACgroupDoesNothing) {
  Pressure pressure({"none", "", "no memory controller"}, 67108864);
  EXPECT_FALSE(pressure.available());
  EXPECT_FALSE(pressure.tighten(4096));
  EXPECT_EQ(pressure.facts().reason, "no memory controller");
}

}  // namespace
}  // namespace writecanary::probe
