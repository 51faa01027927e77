// What the host's mounts allow of a configuration.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "daemon/config/config.h"
#include "daemon/config/config_toml.h"
#include "tests/unit/temporary_directory.h"

namespace writecanary::daemon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<Mount> mounts() {
  return {{"8:1", "/", "rw", "ext4", "/dev/sda1", "/", 21, 1},
          {"8:2", "/data", "rw", "xfs", "/dev/sda2", "/", 22, 21},
          {"8:3", "/var/lib/writecanary", "rw", "ext4", "/dev/sda3", "/", 23, 21}};
}

TargetConfig target_at(const std::string& path) {
  TargetConfig target;
  target.name = "data";
  target.path = path;
  return target;
}

TEST(Mounts, ATargetMustBeAMountPoint) {
  EXPECT_TRUE(locate(target_at("/data"), mounts()).usable);
  EXPECT_TRUE(locate(target_at("/data/"), mounts()).usable);
  EXPECT_EQ(locate(target_at("/data"), mounts()).mount.type, "xfs");
  const auto located = locate(target_at("/srv/data"), mounts());
  EXPECT_FALSE(located.usable);
  EXPECT_EQ(located.reason,
            "target \"data\": /srv/data is not a mount point (it is on /). Mount it, or set require_mount = false");
  auto anywhere = target_at("/srv/data");
  anywhere.require_mount = false;
  EXPECT_TRUE(locate(anywhere, mounts()).usable);
  auto other = target_at("/data");
  other.fstype = "btrfs";
  EXPECT_EQ(locate(other, mounts()).reason,
            "target \"data\": /data is xfs, not btrfs. Mount the filesystem that is meant, or change fstype");
}

// What a container sees of a node: a volume of /data, on which a disk is mounted or not.
TEST(Mounts, AVolumeCountsOnlyWhenADiskIsMountedThere) {
  const std::vector<Mount> volumes = {{"0:99", "/", "rw", "overlay", "overlay", "/", 21, 1},
                                      {"8:2", "/disk", "rw", "xfs", "/dev/sda2", "/", 22, 21},
                                      {"8:1", "/data", "rw", "ext4", "/dev/sda1", "/data", 23, 21},
                                      {"8:1", "/subvolume", "rw", "btrfs", "/dev/sdb", "/@data", 24, 21},
                                      {"0:50", "/share", "rw", "cifs", "//server/share", "/part", 25, 21}};
  EXPECT_TRUE(locate(target_at("/disk"), volumes).usable);
  EXPECT_TRUE(locate(target_at("/subvolume"), volumes).usable) << "only the probe can tell it from a directory";
  EXPECT_TRUE(locate(target_at("/share"), volumes).usable);
  const auto located = locate(target_at("/data"), volumes);
  EXPECT_FALSE(located.usable);
  EXPECT_EQ(
      located.reason,
      "target \"data\": /data is only the directory /data of the filesystem on /dev/sda1 (a bind mount, or a volume "
      "of a container), which is there also while nothing is mounted on it. Mount a filesystem there, or set "
      "require_mount = false");
  auto anyway = target_at("/data");
  anyway.require_mount = false;
  EXPECT_TRUE(locate(anyway, volumes).usable);
}

TEST(Mounts, ResultsMustNotLieOnWhatIsTested) {
  const auto check = [](const std::string& storage, const std::string& path, bool require_mount) {
    Config config;
    config.storage_path = storage;
    config.targets = {target_at(path)};
    config.targets[0].require_mount = require_mount;
    return check_mounts(config, mounts());
  };
  EXPECT_THAT(check("/data/canary/results.db", "/data", true).errors,
              ElementsAre(testing::Field(&ConfigIssue::text, HasSubstr("Set storage.path to another filesystem"))));
  EXPECT_EQ(check("/data/canary/results.db", "/data", false).errors.size(), 1U);
  EXPECT_EQ(check("/srv/x/results.db", "/", true).errors.size(), 1U);
  EXPECT_THAT(check("/var/lib/writecanary/results.db", "/data", true).errors, IsEmpty());
  EXPECT_THAT(check("/data2/results.db", "/data", true).errors, IsEmpty());
  // On one filesystem, but not required to be its own: a trial.
  const auto trial = check("/srv/state/results.db", "/srv/data", false);
  EXPECT_THAT(trial.errors, IsEmpty());
  EXPECT_THAT(trial.warnings, ElementsAre(testing::Field(&ConfigIssue::text, HasSubstr("Fine for a trial"))));
  // Not mounted yet: said, and refused later.
  const auto unmounted = check("/var/lib/writecanary/results.db", "/later", true);
  EXPECT_THAT(unmounted.errors, IsEmpty());
  EXPECT_THAT(unmounted.warnings, ElementsAre(testing::Field(&ConfigIssue::text, HasSubstr("is not a mount point"))));
}

}  // namespace
}  // namespace writecanary::daemon
