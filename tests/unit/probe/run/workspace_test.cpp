#include "probe/run/workspace.h"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/base/error.h"
#include "tests/unit/temporary_directory.h"

namespace writecanary::probe {
namespace {

namespace fs = std::filesystem;

class WorkspaceTest : public testing::Test {
 protected:
  WorkspaceTest() { spec_.path = directory_.path(); }
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

  TemporaryDirectory directory_;
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

TEST_F(WorkspaceTest, RefusesADirectoryThatIsMounted) {
  const std::string part = spec_.path + "/part", at = spec_.path + "/at";
  fs::create_directory(part);
  fs::create_directory(at);
  if (mount(part.c_str(), at.c_str(), nullptr, MS_BIND, nullptr) != 0) GTEST_SKIP() << "a bind mount needs root";
  spec_.path = at;
  spec_.require_mount = true;
  const std::string text = refusal();
  spec_.require_mount = false;
  const std::string anyway = refusal();
  umount(at.c_str());
  spec_.path = fs::path(at).parent_path();
  EXPECT_NE(text.find(" is only the directory "), std::string::npos) << text;
  EXPECT_NE(text.find("set require_mount = false"), std::string::npos) << text;
  EXPECT_EQ(anyway, "");
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

// What a rename puts in the way between two calls is not followed.
TEST_F(WorkspaceTest, IsNotLedElsewhereWhileItWorks) {
  const std::string elsewhere = spec_.path + "/elsewhere";
  fs::create_directories(elsewhere + "/run-7");
  std::ofstream(elsewhere + "/run-7/victim") << "of somebody else";
  std::ofstream(elsewhere + "/lock") << "of somebody else";
  {
    Workspace workspace(spec_);
    workspace.make_run_directory("7");
    const Fd file = workspace.create("file-1", 0);
    fs::rename(home(), spec_.path + "/aside");
    fs::create_directory_symlink(elsewhere, home());
    const Fd second = workspace.create("file-2", 0);
    std::ofstream(workspace.directory() + "/by-path") << "for what takes only paths";
    EXPECT_TRUE(fs::exists(spec_.path + "/aside/run-7/file-2"));
    EXPECT_TRUE(fs::exists(spec_.path + "/aside/run-7/by-path"));
  }
  EXPECT_FALSE(fs::exists(spec_.path + "/aside/run-7"));
  EXPECT_TRUE(fs::exists(elsewhere + "/run-7/victim"));
  EXPECT_TRUE(fs::exists(elsewhere + "/lock"));
}

TEST_F(WorkspaceTest, SweepsALinkAndNotWhereItLeads) {
  const std::string elsewhere = spec_.path + "/elsewhere";
  fs::create_directories(elsewhere);
  std::ofstream(elsewhere + "/victim") << "of somebody else";
  fs::create_directories(home() + "/run-3/deep/er");
  fs::permissions(home(), fs::perms::owner_all);
  fs::create_directory_symlink(elsewhere, home() + "/run-4");
  fs::create_directory_symlink(elsewhere, home() + "/run-3/deep/link");
  { const Workspace workspace(spec_); }
  EXPECT_FALSE(fs::exists(home()));
  EXPECT_TRUE(fs::exists(elsewhere + "/victim"));
}

TEST_F(WorkspaceTest, RefusesADirectoryThatBelongsToSomebodyElse) {
  if (geteuid() != 0) GTEST_SKIP() << "giving a directory away needs root";
  fs::create_directories(home() + "/run-3");
  ASSERT_EQ(chown(home().c_str(), 12345, 12345), 0);
  EXPECT_EQ(
      refusal(),
      home() +
          " belongs to the user with the id 12345, and this canary runs as 0: files of somebody else "
          "are no place for it. Run as that user, name another directory on the filesystem, or remove it (rm -r)");
  EXPECT_TRUE(fs::exists(home() + "/run-3")) << "nothing is swept there";
  EXPECT_FALSE(fs::exists(home() + "/lock"));
}

TEST_F(WorkspaceTest, RefusesADirectoryThatEveryoneCanWriteTo) {
  fs::create_directory(home());
  fs::permissions(home(), fs::perms::all);
  EXPECT_EQ(refusal(), "everyone can write to " + home() + ". Close it: chmod o-w " + home());
}

TEST_F(WorkspaceTest, RefusesADirectoryThatIsAMountOfItsOwn) {
  fs::create_directory(home());
  if (mount("own", home().c_str(), "tmpfs", 0, "size=64k,mode=700") != 0) GTEST_SKIP() << "mounting needs root";
  EXPECT_NE(refusal().find(home() + " is a mount of its own"), std::string::npos);
  umount(home().c_str());
}

TEST_F(WorkspaceTest, SaysWhatItIsOnWhateverLeadsThere) {
  const std::string link = spec_.path + "/link";
  fs::create_directory_symlink("/dev/shm", link);
  const std::string real = spec_.path;
  spec_.path = link;
  const FilesystemFacts facts = Workspace(spec_).filesystem();
  EXPECT_EQ(facts.mount_point, "/dev/shm");
  EXPECT_EQ(facts.type, "tmpfs");
  EXPECT_FALSE(facts.device.empty());
  spec_.path = real;
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
