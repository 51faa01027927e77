#include "cli/at_risk/fdinfo.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace writecanary::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string fdinfo(int flags) { return fmt::format("pos:\t0\nflags:\t0{:o}\nmnt_id:\t27\nino:\t10963231\n", flags); }

TEST(FdInfoTest, AppendModeIsOfFilesThatCanBeWritten) {
  EXPECT_TRUE(parse_fdinfo(fdinfo(O_WRONLY | O_APPEND))->appends());
  EXPECT_TRUE(parse_fdinfo(fdinfo(O_RDWR | O_APPEND | O_CLOEXEC))->appends());
  EXPECT_FALSE(parse_fdinfo(fdinfo(O_RDONLY | O_APPEND))->appends());
  EXPECT_FALSE(parse_fdinfo(fdinfo(O_RDWR))->appends());
  EXPECT_EQ(parse_fdinfo(fdinfo(O_RDWR))->mount_id, 27U);
  EXPECT_TRUE(parse_fdinfo(fdinfo(O_WRONLY | O_APPEND | O_DIRECT))->is_direct());
  EXPECT_FALSE(parse_fdinfo(fdinfo(O_WRONLY | O_APPEND))->is_direct());
}

TEST(FdInfoTest, WhatIsMissingOrOddIsNothing) {
  EXPECT_FALSE(parse_fdinfo(""));
  EXPECT_FALSE(parse_fdinfo("flags:\t0100001\n"));
  EXPECT_FALSE(parse_fdinfo("mnt_id:\t27\n"));
  EXPECT_FALSE(parse_fdinfo("flags:\t0100009\nmnt_id:\t27\n"));
  EXPECT_FALSE(parse_fdinfo("flags: 0100001\nmnt_id: 27\n"));
}

constexpr char kRing[] =
    "pos:\t0\nflags:\t02000002\nmnt_id:\t17\nSqMask:\t0x7\nSQEs:\t1\n    0: opcode:WRITE, fd:4, flags:0\nCQEs:\t0\n"
    "UserFiles:\t6\n    0: /var/log/a\\040b\\012\\134\n    1: <none>\n    2: anon_inode:[eventfd]\n    3: "
    "socket:[4711]\n"
    "    4: /x (deleted)\n    5: \nUserBufs:\t2\n    0: 0x7f0000000000/4096\nPollList:\n";

TEST(FdInfoTest, RegisteredFilesAreListedByTheRing) {
  EXPECT_THAT(registered_files(kRing), ElementsAre("/var/log/a b\n\\", "/x (deleted)"));
}

TEST(FdInfoTest, OlderKernelsListTheLastPartOfAName) {
  EXPECT_THAT(registered_files("UserFiles:\t12\n    0: app.log\n   11: b: c\nUserBufs:\t0\n"),
              ElementsAre("app.log", "b: c"));
}

TEST(FdInfoTest, ABusyRingListsNothing) {
  EXPECT_THAT(registered_files("SqHead:\t0\nSQEs:\t0\nCqOverflowList:\n"), IsEmpty());
}

}  // namespace
}  // namespace writecanary::cli
