// Operations that fail in their middle, on a filesystem that is full and below a limit: an error, and what was
// acknowledged before is judged.
#include "probe/profiles/mixed_model/file_executor.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <vector>

#include "core/base/error.h"
#include "tests/unit/probe/run_fixture.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kFileSizeMax = 512UL << 10;

Operation executed(OpKind kind, std::uint64_t offset, std::uint64_t length, std::uint16_t generation = 1) {
  return {.kind = kind, .offset = offset, .length = length, .generation = generation};
}

class FileExecutorTest : public RunFixture {
 protected:
  ~FileExecutorTest() override {
    executor_.reset();
    context_.reset();
    workspace_.reset();
    if (mounted_) umount(spec_.path.c_str());
  }

  // False without the right to mount.
  bool mount_small() {
    mounted_ = mount("small", spec_.path.c_str(), "tmpfs", 0, "size=1m") == 0;
    return mounted_;
  }

  FileExecutor& executor() {
    executor_ = std::make_unique<FileExecutor>(begin(), identity_, kFileSizeMax, nullptr);
    return *executor_;
  }

  // Until nothing more can be had.
  void fill_up() const {
    const Fd fill = workspace_->create("fill", 0);
    const std::string page(4096, 'f');
    while (write(fill.get(), page.data(), page.size()) > 0) continue;
    ASSERT_EQ(errno, ENOSPC);
  }

  // Somebody's wrong byte in what was acknowledged.
  void damage(off_t offset) const {
    const Fd file = workspace_->open(identity_.name, O_RDWR);
    ASSERT_EQ(pwrite(file.get(), "x", 1, offset), 1);
  }

  FileIdentity identity_{.tag = {.run = 9, .file = 1}, .name = "file-1", .seed = 1, .incompressible = true};
  std::unique_ptr<FileExecutor> executor_;
  bool mounted_ = false;
};

TEST_F(FileExecutorTest, AStoreWithoutSpaceIsAnErrorAndTheRestIsJudged) {
  if (!mount_small()) GTEST_SKIP() << "mounting a tmpfs needs root";
  FileExecutor& executor = this->executor();
  executor.execute(executed(OpKind::kWrite, 0, 50'000, 1), false);
  executor.execute(executed(OpKind::kTruncate, 400'000, 0), false);
  fill_up();
  const Operation store = executed(OpKind::kMapWrite, 40'000, 100'000, 2);
  EXPECT_THAT([&] { executor.execute(store, false); },
              testing::ThrowsMessage<SystemError>(testing::StartsWith(
                  "store through a mapping of file-1: the filesystem could not give a page (SIGBUS)")));
  executor.take_over(store);
  EXPECT_EQ(executor.compare().tally.total(), 0U);
  damage(1'000);
  EXPECT_GT(executor.compare().tally.total(), 0U);
}

// Whatever the filesystem of the tests is, one after the other and in another order.
TEST_F(FileExecutorTest, WhatIsDoneAtOnceAndSharedIsAsTheModelSays) {
  FileExecutor& executor = this->executor();
  std::vector<Operation> operations = {
      executed(OpKind::kWrite, 0, 50'000, 1),           executed(OpKind::kClone, 0, 0),
      executed(OpKind::kTwinWrite, 20'000, 10, 2),      executed(OpKind::kDedupe, 0, 16'384),
      executed(OpKind::kDedupe, 16'384, 16'384),        executed(OpKind::kPunch, 8'000, 9'000),
      executed(OpKind::kDirectParts, 8'192, 4096, 3),   executed(OpKind::kRewrite, 30'000, 30'000, 4),
      executed(OpKind::kStoreSynced, 0, 0, 5),          executed(OpKind::kTruncate, 64'000, 0),
      executed(OpKind::kCloneRange, 4096, 8192),        executed(OpKind::kDirectParts, 60'000, 8192, 6),
      executed(OpKind::kStopped, 45'000, 30'001, 7),    executed(OpKind::kMapRewrite, 7'000, 20'000, 8),
      executed(OpKind::kAllocateStopped, 1'000, 60'000)};
  operations[10].target = 40'960;
  for (int round = 0; round < 4; ++round) {
    for (const Operation& operation : operations) {
      EXPECT_EQ(executor.execute(operation, true).tally.total(), 0U) << to_string(operation);
      EXPECT_EQ(executor.compare().tally.total(), 0U) << to_string(operation);
    }
    EXPECT_EQ(executor.inspect().tally.total(), 0U);
    std::ranges::rotate(operations, operations.begin() + 5);
  }
  EXPECT_GT(context_->meter.counters().writes, 4U * 4);
  damage(45'000);
  EXPECT_GT(executor.compare().tally.total(), 0U);
}

TEST_F(FileExecutorTest, AWriteBeyondTheLimitIsAnErrorAndTheRestIsJudged) {
  std::signal(SIGXFSZ, SIG_IGN);
  FileExecutor& executor = this->executor();
  executor.execute(executed(OpKind::kWrite, 0, 50'000, 1), false);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 70'001;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const Operation write = executed(OpKind::kWrite, 40'000, 100'000, 2);
  EXPECT_THAT([&] { executor.execute(write, false); },
              testing::ThrowsMessage<SystemError>(testing::HasSubstr("File too large (EFBIG)")));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  executor.take_over(write);
  EXPECT_EQ(executor.compare().tally.total(), 0U) << "70,001 bytes, the last 30,001 as the write left them";
  damage(1'000);
  EXPECT_GT(executor.compare().tally.total(), 0U);
}

TEST_F(FileExecutorTest, OfAFailedOperationOnlyWhatItReachesIsTakenOver) {
  FileExecutor& executor = this->executor();
  executor.execute(executed(OpKind::kWrite, 0, 50'000, 1), false);
  const auto wrong_after = [&](const Operation& failed, off_t damaged) {
    damage(damaged);
    executor.take_over(failed);
    return executor.compare().tally.total();
  };
  EXPECT_EQ(wrong_after(executed(OpKind::kWrite, 10'000, 100, 2), 10'050), 0U);
  EXPECT_EQ(wrong_after(executed(OpKind::kCollapse, 4096, 4096), 45'000), 0U) << "all behind it may have moved";
  EXPECT_GT(wrong_after(executed(OpKind::kAllocate, 20'000, 4096), 20'050), 0U) << "must leave what is there";
}

}  // namespace
}  // namespace writecanary::probe
