#include "probe/run/workspace.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/base/error.h"

namespace writecanary::probe {
namespace {

namespace fs = std::filesystem;

class WorkspaceTest : public testing::Test {
 protected:
  WorkspaceTest() {
    char name[] = "/tmp/writecanary-workspace-XXXXXX";
    spec_.path = mkdtemp(name);
  }
  ~WorkspaceTest() override { fs::remove_all(spec_.path); }
  std::string home() const { return spec_.path + "/.writecanary"; }

  // The text of the refusal, empty when there is none.
  std::string refusal() {
    try {
      const Workspace workspace(spec_);
      return "";
    } catch (const WorkspaceRefusal& refused) {
      return refused.what();
    }
  }

  RunSpec spec_;
};

TEST_F(WorkspaceTest, LeavesNothingBehind) {
  {
    Workspace workspace(spec_);
    workspace.make_run_directory("7");
    const Fd file = workspace.create("file-1", 0);
    EXPECT_TRUE(fs::exists(home() + "/run-7/file-1"));
    EXPECT_EQ(fs::status(home()).permissions(), fs::perms::owner_all);
  }
  EXPECT_TRUE(fs::is_empty(spec_.path));
}

TEST_F(WorkspaceTest, SweepsWhatDeadRunsLeftAndNothingElse) {
  fs::create_directories(home() + "/run-3");
  std::ofstream(home() + "/run-3/file-1") << "left by a run that was killed";
  std::ofstream(home() + "/note") << "of the operator";
  { const Workspace workspace(spec_); }
  EXPECT_FALSE(fs::exists(home() + "/run-3"));
  EXPECT_TRUE(fs::exists(home() + "/note"));
}

TEST_F(WorkspaceTest, ALastingDirectoryOutlivesRunsAndSweeps) {
  for (int run = 0; run < 2; ++run) {
    Workspace workspace(spec_);
    workspace.make_run_directory("7");
    const Fd directory = workspace.lasting_directory("archive");
    EXPECT_EQ(fs::exists(home() + "/archive/kept"), run == 1);
    std::ofstream(home() + "/archive/kept") << "for weeks";
  }
  EXPECT_TRUE(fs::exists(home() + "/archive/kept"));
  EXPECT_FALSE(fs::exists(home() + "/run-7"));
}

TEST_F(WorkspaceTest, KeepsASecondCanaryOut) {
  {
    const Workspace first(spec_);
    EXPECT_NE(refusal().find("another canary is at work in " + home()), std::string::npos);
  }
  EXPECT_EQ(refusal(), "");
}

TEST_F(WorkspaceTest, RefusesWhatIsNotAMountPoint) {
  spec_.require_mount = true;
  const std::string text = refusal();
  EXPECT_EQ(text.find(spec_.path + " is not a mount point (it is on /"), 0U) << text;
  EXPECT_NE(text.find("Mount it, or set require_mount = false"), std::string::npos);
  EXPECT_FALSE(fs::exists(home())) << "nothing may be made on the wrong filesystem";
}

TEST_F(WorkspaceTest, RefusesAnotherFilesystemThanExpected) {
  spec_.expected_fstype = "notafs";
  EXPECT_NE(refusal().find("not notafs as the configuration expects"), std::string::npos);
}

TEST_F(WorkspaceTest, DoesNotFollowASymbolicLink) {
  const std::string elsewhere = spec_.path + "/elsewhere";
  fs::create_directory(elsewhere);
  fs::create_directory_symlink(elsewhere, home());
  EXPECT_THROW(Workspace{spec_}, SystemError);
  EXPECT_TRUE(fs::is_empty(elsewhere));
}

TEST_F(WorkspaceTest, FilesAreMadeOnce) {
  Workspace workspace(spec_);
  workspace.make_run_directory("7");
  const Fd file = workspace.create("file-1", 0);
  EXPECT_THROW(workspace.create("file-1", 0), SystemError);
}

TEST_F(WorkspaceTest, WatchesFreeSpace) {
  std::string why;
  EXPECT_TRUE(Workspace(spec_).enough_space(why));
  spec_.min_free_percent = 100;
  EXPECT_FALSE(Workspace(spec_).enough_space(why));
  EXPECT_NE(why.find("must remain"), std::string::npos);
}

TEST_F(WorkspaceTest, NamesAPathThatDoesNotExist) {
  spec_.path += "/nowhere";
  try {
    const Workspace workspace(spec_);
    FAIL() << "entered a directory that does not exist";
  } catch (const SystemError& error) {
    EXPECT_NE(std::string(error.what()).find(spec_.path), std::string::npos);
  }
  spec_.path = fs::path(spec_.path).parent_path();
}

}  // namespace
}  // namespace writecanary::probe
