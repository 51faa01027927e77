#include "cli/at_risk/owner.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace writecanary::cli {
namespace {

const std::string kId(64, 'a');
const std::string kUid = "0a1b2c3d-0000-1111-2222-333344445555";

TEST(OwnerTest, AUnitOfSystemd) {
  const Owner owner = owner_of("0::/system.slice/system-postgresql.slice/postgresql@15-main.service\n");
  EXPECT_EQ(owner.unit, "postgresql@15-main.service");
  EXPECT_EQ(owner.cgroup, "/system.slice/system-postgresql.slice/postgresql@15-main.service");
  EXPECT_EQ(owner.text(), "postgresql@15-main.service");
  EXPECT_EQ(owner_of("0::/system.slice/_cpu.service\n").unit, "cpu.service");
}

TEST(OwnerTest, TheInnermostUnitOfAUser) {
  EXPECT_EQ(owner_of("0::/user.slice/user-1000.slice/user@1000.service/app.slice/run-u7.scope/x\n").unit,
            "run-u7.scope");
}

TEST(OwnerTest, TheHierarchyThatTellsMoreIsTaken) {
  const Owner owner =
      owner_of("12:memory:/process_api/7\n3:cpu:/\n1:name=systemd:/system.slice/logger.service\n0::/\n");
  EXPECT_EQ(owner.unit, "logger.service");
  EXPECT_EQ(owner_of("3:cpu:/\n12:memory:/process_api/7\n0::/\n").cgroup, "/process_api/7");
}

TEST(OwnerTest, NobodysProcess) {
  for (const char* text : {"", "0::/\n", "garbage", "0::/my.slice\n", "0::/.scope\n"}) {
    const Owner owner = owner_of(text);
    EXPECT_EQ(owner.unit + owner.container + owner.pod, "") << text;
    EXPECT_EQ(owner.text(), "-") << text;
  }
}

struct Case {
  std::string cgroup, container, runtime, text;
};

TEST(OwnerTest, Containers) {
  for (const Case& one : {
           Case{"/system.slice/docker-" + kId + ".scope", kId, "docker", "docker aaaaaaaaaaaa"},
           Case{"/docker/" + kId, kId, "docker", "docker aaaaaaaaaaaa"},
           Case{"/machine.slice/libpod-" + kId + ".scope/container", kId, "podman", "podman aaaaaaaaaaaa"},
           Case{"/lxc.payload.web/system.slice", "web", "lxc", "lxc web"},
           Case{"/lxc/web", "web", "lxc", "lxc web"},
           Case{"/machine.slice/machine-deb.scope/payload", "deb", "machine", "machine deb"},
       }) {
    const Owner owner = owner_of("0::" + one.cgroup + "\n");
    EXPECT_EQ(owner.container, one.container) << one.cgroup;
    EXPECT_EQ(owner.runtime, one.runtime) << one.cgroup;
    EXPECT_EQ(owner.text(), one.text) << one.cgroup;
  }
}

TEST(OwnerTest, PodsOfBothDrivers) {
  std::string underscored = kUid;
  for (char& c : underscored) c = c == '-' ? '_' : c;
  const Owner systemd = owner_of(fmt::format(
      "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{}.slice/cri-containerd-{}.scope\n",
      underscored, kId));
  const Owner cgroupfs = owner_of(fmt::format("0::/kubepods/burstable/pod{}/{}\n", kUid, kId));
  EXPECT_EQ(systemd.pod, kUid);
  EXPECT_EQ(systemd.runtime, "containerd");
  EXPECT_EQ(cgroupfs.pod, kUid);
  EXPECT_EQ(cgroupfs.container, kId);
  EXPECT_EQ(cgroupfs.text(), "container aaaaaaaaaaaa");
  EXPECT_EQ(owner_of("0::/system.slice/podman.service\n").pod, "");
}

TEST(OwnerTest, NamesAreText) {
  EXPECT_EQ(owner_of("0::/system.slice/h\xE9\x1B[2J.service\n").unit, "h\\xe9\\x1b[2J.service");
}

}  // namespace
}  // namespace writecanary::cli
