// Run cgroups on the running kernel's memory controller. Skipped, with the reason, where none can be made.
#include "core/host/cgroup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/process/probe_process.h"
#include "tests/unit/temporary_directory.h"

namespace writecanary {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLimitBytes = 32ULL << 20;

class CgroupTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = prepare_cgroup_root();
    if (root_.version == 0) GTEST_SKIP() << root_.reason;
  }
  // Another run of these tests at the same time must not be disturbed.
  static std::string name(const std::string& suffix) {
    return "writecanary-test-" + std::to_string(getpid()) + "-" + suffix;
  }
  Cgroup create(const std::string& suffix) const { return Cgroup::create(root_, name(suffix), kLimitBytes); }
  static ProbeProcess sleep_in(const Cgroup& cgroup) {
    return ProbeProcess::start("/bin/sleep", {"600"}, "", &cgroup, true);
  }
  // Removal is possible a moment after the last process was reaped.
  static void expect_removable(Cgroup& cgroup) {
    for (int i = 0; i < 1000 && !cgroup.try_remove(); ++i) usleep(1000);
    EXPECT_TRUE(cgroup.try_remove());
  }

  CgroupRoot root_;
};

TEST_F(CgroupTest, HasItsLimitAndIsRemoved) {
  std::string directory;
  {
    const Cgroup cgroup = create("a");
    directory = cgroup.directory();
    EXPECT_EQ(directory, root_.directory + "/" + name("a"));
    EXPECT_EQ(cgroup.procs_file(), directory + "/cgroup.procs");
    const char* const file = root_.version == 2 ? "/memory.max" : "/memory.limit_in_bytes";
    EXPECT_EQ(read_file(directory + file), std::to_string(kLimitBytes) + "\n");
    if (fs::exists(directory + "/memory.swap.max")) {
      EXPECT_EQ(read_file(directory + "/memory.swap.max"), "0\n");
    }
  }
  EXPECT_FALSE(fs::exists(directory));
}

TEST_F(CgroupTest, NameThatIsTakenIsAnErrorAndKeepsTheOther) {
  const Cgroup cgroup = create("taken");
  EXPECT_THAT([&] { create("taken"); },
              testing::ThrowsMessage<SystemError>("make cgroup " + cgroup.directory() + ": File exists (EEXIST)"));
  EXPECT_TRUE(fs::exists(cgroup.directory()));
}

TEST_F(CgroupTest, CannotBeRemovedWhileAProcessIsInIt) {
  Cgroup cgroup = create("busy");
  ProbeProcess process = sleep_in(cgroup);
  EXPECT_FALSE(cgroup.try_remove());
  EXPECT_EQ(process.try_wait(), std::nullopt) << "asking must not kill";
  cgroup.kill_all();
  EXPECT_EQ(describe_wait_status(process.wait()), "killed by SIGKILL");
  expect_removable(cgroup);
  EXPECT_EQ(cgroup.directory(), "");
}

TEST_F(CgroupTest, DestructorKillsEverythingBelow) {
  std::string directory;
  std::optional<ProbeProcess> outer, inner;
  {
    const Cgroup cgroup = create("tree");
    directory = cgroup.directory();
    outer = sleep_in(cgroup);
    inner = sleep_in(cgroup);
    ASSERT_EQ(mkdir((directory + "/child").c_str(), 0755), 0);
    ASSERT_EQ(mkdir((directory + "/child/grandchild").c_str(), 0755), 0);
    write_control_file(directory + "/child/grandchild/cgroup.procs", std::to_string(inner->pid()));
  }
  EXPECT_FALSE(fs::exists(directory));
  EXPECT_EQ(describe_wait_status(outer->wait()), "killed by SIGKILL");
  EXPECT_EQ(describe_wait_status(inner->wait()), "killed by SIGKILL");
}

TEST_F(CgroupTest, KillsWhatForks) {
  Cgroup cgroup = create("forks");
  // Each shell has another one in the background, which outlives it, until the cgroup ends them all.
  ProbeProcess process = ProbeProcess::start(
      "/bin/sh", {"-c", "f() { while :; do (while :; do /bin/true; done) & wait $!; done; }; f & f & f & wait"}, "",
      &cgroup, true);
  while (std::ranges::count(read_file(cgroup.procs_file()), '\n') < 6) usleep(1000);
  cgroup.kill_all();
  EXPECT_EQ(describe_wait_status(process.wait()), "killed by SIGKILL");
  expect_removable(cgroup);
}

TEST_F(CgroupTest, MovesAndReleases) {
  Cgroup first = create("moved");
  const std::string directory = first.directory();
  Cgroup second = std::move(first);
  EXPECT_EQ(second.directory(), directory);
  Cgroup third = create("third");
  const std::string third_directory = third.directory();
  third = std::move(second);
  EXPECT_EQ(third.directory(), directory);
  EXPECT_TRUE(fs::exists(directory));
  third.release();
  EXPECT_TRUE(third.try_remove());
  EXPECT_TRUE(fs::exists(directory)) << "released, not removed";
  ASSERT_EQ(rmdir(directory.c_str()), 0);
}

TEST_F(CgroupTest, LeftoversOfAnEarlierDaemonAreKilledAndRemoved) {
  Cgroup left = create("left-1");
  Cgroup also_left = create("left-2");
  const Cgroup other = create("other");
  ProbeProcess orphan = sleep_in(left);
  ProbeProcess bystander = sleep_in(other);
  ASSERT_EQ(mkdir((left.directory() + "/child").c_str(), 0755), 0);
  EXPECT_THAT(remove_leftover_cgroups(root_, name("left-")), testing::IsEmpty());
  EXPECT_EQ(describe_wait_status(orphan.wait()), "killed by SIGKILL");
  EXPECT_FALSE(fs::exists(left.directory()));
  EXPECT_FALSE(fs::exists(also_left.directory()));
  EXPECT_EQ(bystander.try_wait(), std::nullopt);
  other.kill_all();
  bystander.wait();
}

TEST_F(CgroupTest, EmptyOnesAreRemovedAndNothingIsKilled) {
  const Cgroup empty = create("dead-1");
  const Cgroup kept = create("live-1");
  Cgroup used = create("dead-2");
  ProbeProcess process = sleep_in(used);
  remove_empty_cgroups(root_, [this](const std::string& child) { return child.starts_with(name("dead-")); });
  EXPECT_FALSE(fs::exists(empty.directory()));
  EXPECT_TRUE(fs::exists(kept.directory()));
  EXPECT_TRUE(fs::exists(used.directory()));
  EXPECT_EQ(process.try_wait(), std::nullopt);
  used.kill_all();
  process.wait();
}

TEST(CgroupStats, ReadBothVersions) {
  const TemporaryDirectory version2, version1, none;
  version2.write("memory.events", "low 0\nhigh 0\nmax 17\noom 3\noom_kill 2\n");
  version1.write("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n");
  EXPECT_EQ(oom_kills_of(version2.path()), 2U);
  EXPECT_EQ(oom_kills_of(version1.path()), 5U);
  EXPECT_EQ(oom_kills_of(none.path()), 0U);
}

TEST(LeftoverCgroups, WhatCannotBeRemovedIsNamed) {
  // Directories of an ordinary filesystem with a file in them are as immovable as a cgroup whose process hangs.
  const TemporaryDirectory tree;
  tree.write("run-2/cgroup.procs", "");
  tree.write("run-1/cgroup.procs", "0\n");  // 0: a process of another pid namespace
  fs::create_directory(tree / "run-3");
  tree.write("main/cgroup.procs", "");
  tree.write("run-file", "");
  EXPECT_THAT(remove_leftover_cgroups({1, tree.path(), ""}, "run-"), testing::ElementsAre("run-1", "run-2"));
  EXPECT_FALSE(fs::exists(tree / "run-3"));
  EXPECT_TRUE(fs::exists(tree / "run-file"));
}

TEST(LeftoverCgroups, NoneWithoutARoot) { EXPECT_THAT(remove_leftover_cgroups({}, ""), testing::IsEmpty()); }

}  // namespace
}  // namespace writecanary
