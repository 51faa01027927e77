// How the place for run cgroups is found. The files of /proc are fixtures; where a cgroup has to be made for real, the
// running kernel's hierarchy is used, and the test is skipped without the right to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/host/cgroup.h"
#include "core/host/mountinfo.h"
#include "tests/unit/temporary_directory.h"

namespace writecanary {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

namespace fs = std::filesystem;

// A directory tree that looks like /proc and /sys/fs/cgroup. Directories made in it stay empty, as those of no kernel
// do, so every candidate is refused in the end: for what it lacks.
class FakeCgroups : public testing::Test {
 protected:
  CgroupRoot prepare(const std::string& proc_self_cgroup, const std::string& mountinfo) {
    return prepare_cgroup_root({.proc_self_cgroup = tree_.write("proc/cgroup", proc_self_cgroup),
                                .mountinfo = tree_.write("proc/mountinfo", mountinfo)});
  }
  std::string mount_v2(const std::string& root = "/") const {
    return "30 23 0:28 " + root + " " + (tree_ / "v2") + " rw - cgroup2 cgroup2 rw\n";
  }
  std::string mount_v1(const std::string& root = "/") const {
    return "35 31 0:32 " + root + " " + (tree_ / "v1") + " rw,relatime - cgroup cgroup rw,memory\n";
  }
  // A cgroup other than the root, with these members and these controllers for its children.
  void make_v2(const std::string& path, const std::string& members, const std::string& enabled) const {
    tree_.write("v2" + path + "/cgroup.type", "domain\n");
    tree_.write("v2" + path + "/cgroup.controllers", "cpu memory pids\n");
    tree_.write("v2" + path + "/cgroup.procs", members);
    tree_.write("v2" + path + "/cgroup.subtree_control", enabled);
  }
  std::string trial(const std::string& directory, const std::string& file) const {
    return (tree_ / directory) + "/writecanary-trial-" + std::to_string(getpid()) + "/" + file +
           ": No such file or directory (ENOENT)";
  }

  TemporaryDirectory tree_;
};

TEST_F(FakeCgroups, WithoutAnyHierarchyTheReasonSaysWhatIsMissingAndWhatToDo) {
  const CgroupRoot root = prepare("9:name=systemd:/\n", "");
  EXPECT_EQ(root.version, 0);
  EXPECT_EQ(root.backend(), "none");
  EXPECT_EQ(root.directory, "");
  const std::string file = tree_ / "proc/cgroup";
  EXPECT_EQ(root.reason, "no memory cgroup can be made: " + file + " has no line for cgroup2; " + file +
                             " has no line for the v1 memory controller. Run as root, or under `systemd-run --user "
                             "--scope -p Delegate=memory ...`, or set Delegate=memory in the service's unit");
}

TEST_F(FakeCgroups, UnreadableFilesAreAReasonToo) {
  const CgroupRoot root = prepare_cgroup_root({.proc_self_cgroup = tree_ / "none", .mountinfo = tree_ / "none"});
  EXPECT_EQ(root.version, 0);
  EXPECT_THAT(root.reason, HasSubstr("open " + (tree_ / "none") + ": No such file or directory (ENOENT)"));
}

TEST_F(FakeCgroups, HierarchyThatIsNotMounted) {
  const CgroupRoot root = prepare("4:memory:/a\n0::/b\n", "");
  EXPECT_THAT(root.reason, AllOf(HasSubstr("has no mount of cgroup2 that shows /b"),
                                 HasSubstr("has no mount of the v1 memory controller that shows /a")));
}

TEST_F(FakeCgroups, V1TriesTheOwnCgroupAndThenItsAncestors) {
  fs::create_directories(tree_ / "v1/a/b");
  const CgroupRoot root = prepare("11:cpu,cpuacct:/x\n4:hugetlb,memory:/a/b\n", mount_v1());
  EXPECT_THAT(root.reason, HasSubstr("write \"16777216\" to " + trial("v1/a/b", "memory.limit_in_bytes") +
                                     "; write \"16777216\" to " + trial("v1/a", "memory.limit_in_bytes") +
                                     "; write \"16777216\" to " + trial("v1", "memory.limit_in_bytes") + ". Run"));
  EXPECT_TRUE(fs::is_empty(tree_ / "v1/a/b")) << "the trial cgroup must be gone";
}

TEST_F(FakeCgroups, MountOfAPartOfTheHierarchy) {
  fs::create_directories(tree_ / "v1/b");
  const CgroupRoot root = prepare("4:memory:/docker/1f/b\n", mount_v1("/docker/1f"));
  EXPECT_THAT(root.reason, AllOf(HasSubstr(trial("v1/b", "memory.limit_in_bytes")),
                                 HasSubstr(trial("v1", "memory.limit_in_bytes")), Not(HasSubstr("v1/docker"))));
}

TEST_F(FakeCgroups, ProcessOutsideOfWhatTheMountShows) {
  for (const char* path : {"/docker/2e", "/docker/1fx", "/"}) {
    const CgroupRoot root = prepare(std::string("4:memory:") + path + "\n", mount_v1("/docker/1f"));
    EXPECT_THAT(root.reason, HasSubstr(std::string("has no mount of the v1 memory controller that shows ") + path));
  }
  const CgroupRoot root = prepare("0::/../other\n", mount_v2());
  EXPECT_THAT(root.reason, HasSubstr("has no mount of cgroup2 that shows /../other"));
}

TEST_F(FakeCgroups, HybridWithoutMemoryInV2GoesOnToV1) {
  tree_.write("v2/cgroup.controllers", "hugetlb\n");
  fs::create_directories(tree_ / "v1");
  const CgroupRoot root = prepare("4:memory:/\n0::/\n", mount_v2() + mount_v1());
  EXPECT_THAT(root.reason, AllOf(HasSubstr((tree_ / "v2/cgroup.controllers") + " does not offer memory; "),
                                 HasSubstr(trial("v1", "memory.limit_in_bytes"))));
}

TEST_F(FakeCgroups, V2RefusesACgroupWithOtherMembersAndTriesAncestors) {
  make_v2("", "1\n", "memory\n");
  make_v2("/slice", "", "cpu memory\n");
  make_v2("/slice/inner", "", "cpu\n");
  make_v2("/slice/inner/scope", std::to_string(getpid()) + "\n99999\n", "");
  const CgroupRoot root = prepare("0::/slice/inner/scope\n", mount_v2());
  EXPECT_THAT(root.reason,
              HasSubstr((tree_ / "v2/slice/inner/scope/cgroup.procs has other members than this process; ") +
                        (tree_ / "v2/slice/inner/cgroup.subtree_control does not list memory; write \"16777216\" to ") +
                        trial("v2/slice", "memory.max") + "; write \"16777216\" to " + trial("v2", "memory.max")));
}

TEST_F(FakeCgroups, V2OwnCgroupWithoutTheController) {
  make_v2("", "1\n", "");
  make_v2("/scope", std::to_string(getpid()) + "\n", "");
  tree_.write("v2/scope/cgroup.controllers", "cpu pids\n");
  const CgroupRoot root = prepare("0::/scope\n", mount_v2());
  EXPECT_THAT(root.reason, HasSubstr((tree_ / "v2/scope/cgroup.controllers") + " does not list memory"));
}

TEST_F(FakeCgroups, V2LeafThatCannotBeEnteredIsRemoved) {
  make_v2("", "1\n", "");
  make_v2("/scope", std::to_string(getpid()) + "\n", "");
  const CgroupRoot root = prepare("0::/scope\n", mount_v2());
  EXPECT_THAT(root.reason, HasSubstr("write \"" + std::to_string(getpid()) + "\" to " +
                                     (tree_ / "v2/scope/main/cgroup.procs") + ": No such file or directory (ENOENT)"));
  EXPECT_FALSE(fs::exists(tree_ / "v2/scope/main"));
}

TEST_F(FakeCgroups, V2LeafOfAnEarlierStartUsesItsParent) {
  make_v2("", "1\n", "");
  make_v2("/unit", "", "memory\n");
  make_v2("/unit/main", std::to_string(getpid()) + "\n5\n", "");
  const CgroupRoot root = prepare("0::/unit/main\n", mount_v2());
  const std::size_t parent = root.reason.find(trial("v2/unit", "memory.max"));
  const std::size_t own = root.reason.find(tree_ / "v2/unit/main/cgroup.procs has other members");
  ASSERT_NE(parent, std::string::npos) << root.reason;
  ASSERT_NE(own, std::string::npos) << root.reason;
  EXPECT_LT(parent, own);
}

TEST_F(FakeCgroups, V2RootGetsTheControllerEnabled) {
  tree_.write("v2/cgroup.controllers", "memory\n");
  tree_.write("v2/cgroup.subtree_control", "");
  const CgroupRoot root = prepare("0::/\n", mount_v2());
  EXPECT_EQ(read_file(tree_ / "v2/cgroup.subtree_control"), "+memory");
  EXPECT_THAT(root.reason, HasSubstr(tree_ / "v2/cgroup.subtree_control does not list memory"));
}

// The hierarchy that the running kernel gives its memory controller to; the tests below need it.
std::optional<Mount> real_mount(int version) {
  for (const Mount& mount : read_mountinfo()) {
    if (version == 1 && mount.type == "cgroup" && (',' + mount.options + ',').find(",memory,") != std::string::npos) {
      return mount;
    }
    if (version == 2 && mount.type == "cgroup2" &&
        read_file(mount.mount_point + "/cgroup.controllers").find("memory") != std::string::npos) {
      return mount;
    }
  }
  return std::nullopt;
}

TEST(RealCgroups, RootOnThisMachineIsTriedOut) {
  const CgroupRoot root = prepare_cgroup_root();
  if (root.version == 0) GTEST_SKIP() << root.reason;
  EXPECT_EQ(root.version, real_mount(2) ? 2 : 1);
  EXPECT_EQ(root.backend(), real_mount(2) ? "cgroup2" : "cgroup1");
  EXPECT_EQ(root.reason, "");
  EXPECT_FALSE(fs::exists(root.directory + "/writecanary-trial-" + std::to_string(getpid())));
  EXPECT_EQ(prepare_cgroup_root().directory, root.directory) << "asking again must find the same place";
}

TEST(RealCgroups, V1FallsBackToAnAncestor) {
  const auto mount = real_mount(1);
  if (!mount || geteuid() != 0) GTEST_SKIP() << "needs root and the v1 memory controller";
  const TemporaryDirectory tree;
  const std::string path = mount->root == "/" ? "/not-there/at-all" : mount->root + "/not-there/at-all";
  const CgroupRoot root = prepare_cgroup_root({.proc_self_cgroup = tree.write("cgroup", "4:memory:" + path + "\n")});
  EXPECT_EQ(root.version, 1);
  EXPECT_EQ(root.directory, mount->mount_point);
}

// In a child process, because moving to a leaf changes the process for good. Returns what the child found wrong.
std::string wrong_in_a_delegated_cgroup(const std::string& own) {
  write_control_file(own + "/cgroup.procs", "0");
  const CgroupRoot root = prepare_cgroup_root();
  if (root.version != 2 || root.directory != own) return "found " + root.directory + ": " + root.reason;
  if (read_file(own + "/main/cgroup.procs") != std::to_string(getpid()) + "\n") return "not moved to main";
  if (read_file(own + "/cgroup.subtree_control") != "memory\n") return "memory is not enabled";
  const CgroupRoot again = prepare_cgroup_root();
  if (again.directory != own) return "asked again, found " + again.directory + ": " + again.reason;
  const Cgroup run = Cgroup::create(root, "run-1", 64ULL << 20);
  if (read_file(run.directory() + "/memory.max") != "67108864\n") return "no limit on the run";
  return "";
}

TEST(RealCgroups, V2MovesToALeafOfItsOwnDelegatedCgroup) {
  const auto mount = real_mount(2);
  if (!mount || geteuid() != 0) GTEST_SKIP() << "needs root and the memory controller in cgroup v2";
  const CgroupRoot above = prepare_cgroup_root();
  ASSERT_EQ(above.version, 2) << above.reason;
  Cgroup own = Cgroup::create(above, "writecanary-test-unit", 1ULL << 30);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::string wrong;
    try {
      wrong = wrong_in_a_delegated_cgroup(own.directory());
    } catch (const SystemError& error) {
      wrong = error.what();
    }
    if (!wrong.empty()) fprintf(stderr, "%s\n", wrong.c_str());
    _exit(wrong.empty() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace writecanary
