#include "probe/verify/cold/below_cache.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/unit/temporary_directory.h"

namespace writecanary::probe {
namespace {

FilesystemFacts on(const std::string& type, const std::string& source) { return {type, source, "/data", "rw"}; }

TEST(BelowCache, AServerMayHoldWhatWasEvicted) {
  for (const char* type : {"nfs4", "9p", "cifs", "fuse.sshfs", "fuse", "virtiofs"}) {
    EXPECT_EQ(below_cache(on(type, "server:/export")), std::string("the server of ") + type);
  }
  EXPECT_NE(below_cache(on("zfs", "pool/data")), "");
  EXPECT_EQ(below_cache(on("xfs", "/dev/sda2")), "");
}

TEST(BelowCache, ALoopDeviceDoesUnlessItsIoIsDirect) {
  const TemporaryDirectory made;
  const std::string& sysfs = made.path();
  const std::string loop = sysfs + "/block/loop7/loop";
  std::filesystem::create_directories(loop);
  std::ofstream(loop + "/dio") << "0\n";
  EXPECT_NE(below_cache(on("xfs", "/dev/loop7"), sysfs).find("/dev/loop7"), std::string::npos);
  std::ofstream(loop + "/dio") << "1\n";
  EXPECT_EQ(below_cache(on("xfs", "/dev/loop7"), sysfs), "");
  EXPECT_EQ(below_cache(on("xfs", "/dev/loop8"), sysfs), "");
}

}  // namespace
}  // namespace writecanary::probe
