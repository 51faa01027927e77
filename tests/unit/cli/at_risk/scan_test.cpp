// A /proc made of files and links.
#include "cli/at_risk/scan.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/error.h"
#include "tests/unit/cli/support.h"

namespace writecanary::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kMounts[] = "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 21 7:0 / /data rw,noatime - xfs /dev/loop0 rw\n";

class ScanTest : public testing::Test {
 protected:
  void process(int pid, const std::string& name) {
    const std::string base = proc_ / std::to_string(pid);
    for (const char* part : {"fd", "fdinfo", "ns"}) std::filesystem::create_directories(base + "/" + part);
    write_file(base + "/comm", name + "\n");
    write_file(base + "/cgroup", "0::/system.slice/" + name + ".service\n");
    write_file(base + "/mountinfo", kMounts);
    write_file(base + "/status", fmt::format("Name:\tx\nTgid:\t{}\nPid:\t{}\n", pid, pid));
    std::filesystem::create_symlink("mnt:[1]", base + "/ns/mnt");
    thread(pid, pid, name);
  }
  void thread(int pid, int tid, const std::string& name) {
    const std::string base = fmt::format("{}/{}/task/{}", proc_.path(), pid, tid);
    std::filesystem::create_directories(base);
    write_file(base + "/comm", name + "\n");
  }
  void open(int pid, int fd, const std::string& link, int flags, const std::string& more = "") {
    const std::string base = proc_ / std::to_string(pid);
    std::filesystem::create_symlink(link, fmt::format("{}/fd/{}", base, fd));
    write_file(fmt::format("{}/fdinfo/{}", base, fd),
               fmt::format("pos:\t0\nflags:\t0{:o}\nmnt_id:\t30\n{}", flags, more));
  }
  void ring(int pid, int fd, const std::string& more = "") { open(pid, fd, "anon_inode:[io_uring]", O_RDWR, more); }

  TemporaryDirectory proc_;
};

TEST_F(ScanTest, WhoHoldsARingAndAppends) {
  process(7, "logger");
  ring(7, 3);
  open(7, 4, "/data/log", O_WRONLY | O_APPEND);
  open(7, 9, "/data/log", O_WRONLY | O_APPEND);
  open(7, 5, "/data/other", O_WRONLY);
  process(8, "plain");
  open(8, 4, "/data/log", O_WRONLY | O_APPEND);
  const Scan scan = scan_processes(proc_.path());
  EXPECT_EQ(scan.processes, 2U);
  ASSERT_THAT(scan.holders, SizeIs(1));
  const RingHolder& holder = scan.holders.front();
  EXPECT_EQ(holder.process.pid, 7);
  EXPECT_EQ(holder.process.owner.unit, "logger.service");
  EXPECT_EQ(holder.rings, 1U);
  ASSERT_THAT(holder.appends, SizeIs(1));
  EXPECT_EQ(holder.appends[0].path, "/data/log");
  EXPECT_THAT(holder.appends[0].fds, ElementsAre(4, 9));
  EXPECT_EQ(holder.appends[0].mount->device, "7:0");
}

TEST_F(ScanTest, AFileThatIsOnlyRegisteredIsNotToldFromOthers) {
  process(7, "logger");
  ring(7, 3, "UserFiles:\t3\n    0: /data/open\n    1: /data/closed\n    2: last-part\nUserBufs:\t0\n");
  open(7, 4, "/data/open", O_WRONLY);
  open(7, 5, "/data/last-part", O_WRONLY);
  const Scan scan = scan_processes(proc_.path());
  ASSERT_THAT(scan.holders, SizeIs(1));
  EXPECT_THAT(scan.holders[0].appends, IsEmpty());
  EXPECT_THAT(scan.holders[0].closed, ElementsAre("/data/closed"));
}

TEST_F(ScanTest, ThreadsOfIoUringTellOfARingWithoutADescriptor) {
  process(7, "hidden");
  thread(7, 8, "iou-wrk-7");
  open(7, 4, "/data/log", O_WRONLY | O_APPEND);
  const Scan scan = scan_processes(proc_.path());
  ASSERT_THAT(scan.holders, SizeIs(1));
  EXPECT_EQ(scan.holders[0].rings, 0U);
  EXPECT_EQ(scan.holders[0].workers, 1U);
  EXPECT_THAT(scan.holders[0].appends, SizeIs(1));
}

TEST_F(ScanTest, NamesAreText) {
  process(7, "od\xE9\n\x1B[2J");
  ring(7, 3);
  open(7, 4, "/data/lo\xE9\ng", O_WRONLY | O_APPEND);
  const Scan scan = scan_processes(proc_.path());
  ASSERT_THAT(scan.holders, SizeIs(1));
  EXPECT_EQ(scan.holders[0].process.name, "od\\xe9\\x0a\\x1b[2J");
  EXPECT_EQ(scan.holders[0].appends.at(0).path, "/data/lo\\xe9\\x0ag");
}

TEST_F(ScanTest, WhoIsHalfGoneIsLeftOut) {
  std::filesystem::create_directories(proc_ / "7");
  EXPECT_EQ(scan_processes(proc_.path()).processes, 0U);
  EXPECT_THROW(scan_processes(proc_ / "none"), SystemError);
}

TEST_F(ScanTest, OneDescriptorOfAThread) {
  process(7, "logger");
  open(7, 4, "/data/log", O_WRONLY | O_APPEND | O_DIRECT);
  open(7, 5, "pipe:[1]", O_WRONLY | O_APPEND);
  EXPECT_TRUE(append_file(7, 4, proc_.path())->is_direct);
  EXPECT_FALSE(append_file(7, 5, proc_.path()));
  EXPECT_FALSE(append_file(7, 6, proc_.path()));
  EXPECT_EQ(process_of_thread(7, proc_.path()).name, "logger");
  EXPECT_EQ(process_of_thread(70, proc_.path()).pid, 70);
}

}  // namespace
}  // namespace writecanary::cli
