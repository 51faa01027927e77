// Threads that stay on a node: nodes as a directory says, CPUs as this machine has them.
#include "probe/trap/one_node.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/unit/temporary_directory.h"

namespace writecanary::probe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(CpuList, IsReadAsSysfsWritesIt) {
  EXPECT_THAT(parse_cpu_list("0-3,8,10-11\n"), ElementsAre(0, 1, 2, 3, 8, 10, 11));
  EXPECT_THAT(parse_cpu_list("5\n"), ElementsAre(5));
  EXPECT_THAT(parse_cpu_list("\n"), IsEmpty());
  EXPECT_THAT(parse_cpu_list("x-3"), IsEmpty());
}

TEST(WorkersPerNode, AreThoseBefore64) {
  EXPECT_TRUE(has_workers_per_node(KernelVersion{5, 15, 0}));
  EXPECT_TRUE(has_workers_per_node(KernelVersion{6, 3, 13}));
  EXPECT_FALSE(has_workers_per_node(KernelVersion{6, 4, 0}));
  EXPECT_TRUE(has_workers_per_node(std::nullopt));
}

class OneNodeTest : public testing::Test {
 protected:
  OneNodeTest() { sched_getaffinity(0, sizeof before_, &before_); }

  void add_node(int number, const std::string& cpus) const {
    const std::string path = sysfs_ + "/devices/system/node/node" + std::to_string(number);
    std::filesystem::create_directories(path);
    std::ofstream(path + "/cpulist") << cpus << "\n";
  }
  bool may_run_as_before() const {
    cpu_set_t now;
    return sched_getaffinity(0, sizeof now, &now) == 0 && CPU_EQUAL(&now, &before_);
  }

  TemporaryDirectory made_;
  std::string sysfs_ = made_.path();
  cpu_set_t before_{};
};

TEST_F(OneNodeTest, AThreadStaysOnTheNodeThatItRunsOn) {
  if (CPU_COUNT(&before_) < 2) GTEST_SKIP() << "one CPU cannot be two nodes";
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &before_)) add_node(cpu, std::to_string(cpu));
  }
  {
    const OneNode node(sysfs_);
    ASSERT_TRUE(node.kept());
    cpu_set_t now;
    ASSERT_EQ(sched_getaffinity(0, sizeof now, &now), 0);
    EXPECT_EQ(CPU_COUNT(&now), 1);
    EXPECT_TRUE(CPU_ISSET(sched_getcpu(), &now));
  }
  EXPECT_TRUE(may_run_as_before());
}

TEST_F(OneNodeTest, OneNodeOrNoneIsLeftAlone) {
  EXPECT_FALSE(OneNode(sysfs_).kept());
  add_node(0, "0-1023");
  EXPECT_FALSE(OneNode(sysfs_).kept());
  add_node(1, "");  // memory alone
  EXPECT_FALSE(OneNode(sysfs_).kept());
  EXPECT_TRUE(may_run_as_before());
}

}  // namespace
}  // namespace writecanary::probe
