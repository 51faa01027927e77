#include "core/host/mountinfo.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "tests/unit/temporary_directory.h"

namespace writecanary {
namespace {

constexpr std::string_view kHost =
    R"(22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
23 22 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw
40 22 8:2 / /data rw,noatime shared:2 master:7 propagate_from:3 - xfs /dev/sda2 rw,attr2,inode64,noquota
41 22 8:3 / /data2 rw,relatime - xfs /dev/sda3 rw
42 40 8:17 /volumes/a\040b /data/with\040blank\011tab\134slash\043 rw - btrfs /dev/disk/by-label/a\040b rw,subvol=/volumes/a\040b
43 22 0:50 / /stacked rw - tmpfs lower rw,size=4k
44 43 0:51 / /stacked rw - tmpfs upper rw,size=8k
)";

TEST(Mountinfo, ReadsTheFields) {
  const auto mounts = parse_mountinfo(kHost);
  ASSERT_EQ(mounts.size(), 7U);
  EXPECT_EQ(mounts[2].id, 40U);
  EXPECT_EQ(mounts[2].parent, 22U);
  EXPECT_EQ(mounts[2].device, "8:2");
  EXPECT_EQ(mounts[2].mount_point, "/data");
  EXPECT_EQ(mounts[2].options, "rw,noatime,attr2,inode64,noquota");
  EXPECT_EQ(mounts[2].type, "xfs");
  EXPECT_EQ(mounts[2].source, "/dev/sda2");
  EXPECT_EQ(mounts[2].root, "/");
}

TEST(Mountinfo, UndoesOctalEscapes) {
  const Mount mount = parse_mountinfo(kHost)[4];
  EXPECT_EQ(mount.mount_point, "/data/with blank\ttab\\slash#");
  EXPECT_EQ(mount.source, "/dev/disk/by-label/a b");
  EXPECT_EQ(mount.root, "/volumes/a b");
  EXPECT_EQ(mount.options, "rw,subvol=/volumes/a b");
}

TEST(Mountinfo, LeavesWhatIsNoEscapeAsItIs) {
  for (const char* point : {R"(/a\)", R"(/a\04)", R"(/a\08x)", R"(/a\400)", R"(/a\n)"}) {
    const auto mounts = parse_mountinfo(std::string("1 0 8:1 / ") + point + " rw - xfs s rw\n");
    ASSERT_EQ(mounts.size(), 1U) << point;
    EXPECT_EQ(mounts[0].mount_point, point);
  }
}

TEST(Mountinfo, MergesOptions) {
  constexpr std::tuple<const char*, const char*, const char*> kCases[] = {
      {"rw,noatime", "rw,noquota", "rw,noatime,noquota"},
      {"ro,noatime", "rw,noquota", "ro,noatime,noquota"},
      {"rw,noatime", "ro,noquota", "noatime,ro,noquota"},
      {"ro", "ro", "ro"},
  };
  for (const auto& [of_mount, of_superblock, merged] : kCases) {
    const auto mounts = parse_mountinfo(std::string("1 0 8:1 / /x ") + of_mount + " - xfs s " + of_superblock);
    ASSERT_EQ(mounts.size(), 1U);
    EXPECT_EQ(mounts[0].options, merged);
  }
}

TEST(Mountinfo, SourceMayBeEmpty) {
  const auto mounts = parse_mountinfo("1 0 0:9 / /x rw -  tmpfs  rw\n1 0 0:9 / /y rw - tmpfs  rw\n");
  ASSERT_EQ(mounts.size(), 2U);
  EXPECT_EQ(mounts[1].type, "tmpfs");
  EXPECT_EQ(mounts[1].source, "");
}

TEST(Mountinfo, LeavesOutLinesThatCannotBeRead) {
  EXPECT_TRUE(parse_mountinfo("").empty());
  EXPECT_TRUE(parse_mountinfo("\n\nnonsense\n").empty());
  EXPECT_TRUE(parse_mountinfo("1 0 8:1 / /x rw shared:1 xfs /dev/sda rw more words").empty()) << "no separator";
  EXPECT_TRUE(parse_mountinfo("1 0 8:1 / /x rw a:1 b:2 c:3 - xfs").empty()) << "cut off";
  EXPECT_TRUE(parse_mountinfo("1 0 8:1 / x rw - xfs /dev/sda rw").empty()) << "relative mount point";
}

TEST(FindMount, TakesTheLongestPrefixAndTheTopOfAStack) {
  const auto mounts = parse_mountinfo(kHost);
  constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"/", "/dev/sda1"},
      {"/home/a", "/dev/sda1"},
      {"/data", "/dev/sda2"},
      {"/data/", "/dev/sda2"},
      {"/data/x/y", "/dev/sda2"},
      {"/data2", "/dev/sda3"},
      {"/data3", "/dev/sda1"},
      {"/dat", "/dev/sda1"},
      {"/data/with blank\ttab\\slash#/f", "/dev/disk/by-label/a b"},
      {"/stacked", "upper"},
      {"/stacked/a", "upper"},
  };
  for (const auto& [path, source] : kCases) {
    const auto mount = find_mount(mounts, path);
    ASSERT_TRUE(mount.has_value()) << path;
    EXPECT_EQ(mount->source, source) << path;
  }
}

// /data/old is below a mount that was put over /data later, and so is what is mounted on it.
TEST(FindMount, DoesNotFindWhatAnotherMountHides) {
  constexpr std::string_view kHidden =
      R"(22 1 8:1 / / rw - ext4 root rw
40 22 8:2 / /data rw - xfs lower rw
41 40 8:3 / /data/old rw - xfs hidden rw
42 41 8:4 / /data/old/deep rw - xfs deep rw
43 40 8:5 / /data rw - xfs upper rw
44 43 8:6 / /data/new rw - xfs new rw
)";
  const auto mounts = parse_mountinfo(kHidden);
  EXPECT_EQ(find_mount(mounts, "/data")->source, "upper");
  EXPECT_EQ(find_mount(mounts, "/data/old/deep")->source, "upper");
  EXPECT_EQ(find_mount(mounts, "/data/new/x")->source, "new");
}

TEST(FindMount, AnOpenFileTellsItsMountWhateverItIsCalled) {
  const auto mounts = read_mountinfo();
  const Fd processes = open_file("/proc", O_RDONLY | O_DIRECTORY);
  ASSERT_TRUE(find_mount(mounts, processes.get()).has_value());
  EXPECT_EQ(find_mount(mounts, processes.get())->type, "proc");

  const TemporaryDirectory directory;
  std::filesystem::create_symlink("/proc", directory / "link");
  const Fd linked = open_file(directory / "link", O_RDONLY | O_DIRECTORY);
  EXPECT_EQ(find_mount(mounts, linked.get())->type, "proc");
  EXPECT_NE(find_mount(mounts, directory / "link")->type, "proc") << "by name it is where the link stands";
  EXPECT_THROW(find_mount(mounts, 1 << 20), SystemError);
}

TEST(FindMount, FindsNothingForARelativePathOrWithoutMounts) {
  EXPECT_FALSE(find_mount(parse_mountinfo(kHost), "data").has_value());
  EXPECT_FALSE(find_mount(parse_mountinfo(kHost), "").has_value());
  EXPECT_FALSE(find_mount({}, "/data").has_value());
}

TEST(ReadMountinfo, ReadsTheRunningKernel) {
  const auto root = find_mount(read_mountinfo(), "/");
  ASSERT_TRUE(root.has_value());
  EXPECT_EQ(root->mount_point, "/");
  EXPECT_FALSE(root->type.empty());
}

TEST(ReadMountinfo, MissingFileIsAnError) {
  const TemporaryDirectory directory;
  EXPECT_THAT(
      [&] { read_mountinfo(directory / "none"); },
      testing::ThrowsMessage<SystemError>("open " + directory.path() + "/none: No such file or directory (ENOENT)"));
}

}  // namespace
}  // namespace writecanary
