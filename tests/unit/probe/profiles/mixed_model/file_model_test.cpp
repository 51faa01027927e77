#include "probe/profiles/mixed_model/file_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kSizeMax = 10'000;

Operation operation(OpKind kind, std::uint64_t offset, std::uint64_t length, std::uint16_t generation = 1) {
  return {.kind = kind, .offset = offset, .length = length, .generation = generation};
}

class FileModelTest : public testing::Test {
 protected:
  // Whether this part holds what a write of this generation puts there.
  bool holds(std::uint16_t generation, std::uint64_t offset, std::uint64_t length) const {
    std::vector<std::byte> expected(length);
    Pattern({.run = 9, .file = generation}, true).fill_bytes(offset, expected);
    return std::ranges::equal(expected, std::span(model_.bytes()).subspan(offset, length));
  }
  bool is_zero(std::uint64_t offset, std::uint64_t length) const {
    return std::ranges::all_of(std::span(model_.bytes()).subspan(offset, length),
                               [](std::byte byte) { return byte == std::byte{0}; });
  }

  FileModel model_{9, true, {.size_max = kSizeMax}};
};

TEST_F(FileModelTest, TakesOverWhatAFailedOperationLeft) {
  model_.apply(operation(OpKind::kWrite, 0, 1000));
  model_.apply(operation(OpKind::kClone, 0, 0));
  const std::vector<std::byte> found(300, std::byte{7});
  model_.take_over(1500, 900, found);
  ASSERT_EQ(model_.bytes().size(), 1500U);
  EXPECT_TRUE(holds(1, 0, 900));
  EXPECT_TRUE(std::ranges::equal(found, std::span(model_.bytes()).subspan(900, 300)));
  EXPECT_TRUE(is_zero(1200, 300));
  model_.take_over_twin(400, 300, found);
  EXPECT_EQ(model_.twin().size(), 400U) << "not beyond the size";
  model_.take_over(100, 100, {});
  EXPECT_EQ(model_.bytes().size(), 100U);
}

TEST_F(FileModelTest, WritesMayLeaveAHoleAndOverwrite) {
  model_.apply(operation(OpKind::kWrite, 1000, 500, 1));
  model_.apply(operation(OpKind::kWrite, 1100, 10, 2));
  ASSERT_EQ(model_.bytes().size(), 1500U);
  EXPECT_TRUE(is_zero(0, 1000));
  EXPECT_TRUE(holds(1, 1000, 100) && holds(2, 1100, 10) && holds(1, 1110, 390));
}

TEST_F(FileModelTest, AppendsGoToTheEndAndStopAtTheLargestSize) {
  model_.apply(operation(OpKind::kAppend, 0, 7000, 1));
  model_.apply(operation(OpKind::kAppend, 0, 7000, 2));
  ASSERT_EQ(model_.bytes().size(), kSizeMax);
  EXPECT_TRUE(holds(1, 0, 7000) && holds(2, 7000, 3000));
  model_.apply(operation(OpKind::kAppend, 0, 1, 3));
  EXPECT_EQ(model_.bytes().size(), kSizeMax);
}

TEST_F(FileModelTest, WhatWasCutComesBackAsZeros) {
  model_.apply(operation(OpKind::kWrite, 0, 500));
  model_.apply(operation(OpKind::kTruncate, 100, 0));
  model_.apply(operation(OpKind::kTruncate, 500, 0));
  EXPECT_TRUE(holds(1, 0, 100) && is_zero(100, 400));
}

TEST_F(FileModelTest, PunchKeepsTheSizeAllocateAndZeroRangeMayGrowIt) {
  model_.apply(operation(OpKind::kWrite, 0, 500));
  model_.apply(operation(OpKind::kPunch, 400, 1000));
  EXPECT_EQ(model_.bytes().size(), 500U);
  EXPECT_TRUE(holds(1, 0, 400) && is_zero(400, 100));
  model_.apply(operation(OpKind::kAllocate, 100, 500));
  EXPECT_EQ(model_.bytes().size(), 600U);
  EXPECT_TRUE(holds(1, 0, 400));
  model_.apply(operation(OpKind::kZeroRange, 300, 500));
  EXPECT_EQ(model_.bytes().size(), 800U);
  EXPECT_TRUE(holds(1, 0, 300) && is_zero(300, 500));
}

TEST_F(FileModelTest, ACopyNeverOverlapsItself) {
  model_.apply(operation(OpKind::kWrite, 0, 500));
  Operation copy = operation(OpKind::kCopyRange, 0, 500);
  copy.target = 300;
  model_.apply(copy);
  ASSERT_EQ(model_.bytes().size(), 600U);
  EXPECT_TRUE(std::ranges::equal(std::span(model_.bytes()).first(300), std::span(model_.bytes()).subspan(300, 300)));
}

TEST_F(FileModelTest, MappedAccessStaysInsideTheFile) {
  model_.apply(operation(OpKind::kMapWrite, 0, 100, 1));
  EXPECT_TRUE(model_.bytes().empty());
  model_.apply(operation(OpKind::kWrite, 0, 100, 1));
  model_.apply(operation(OpKind::kMapWrite, 50, 100, 2));
  EXPECT_EQ(model_.bytes().size(), 100U);
  EXPECT_TRUE(holds(1, 0, 50) && holds(2, 50, 50));
}

TEST(PlanOperations, TheSeedAloneDecidesAndEveryKindComes) {
  const auto plan = plan_operations(5, 2000, kSizeMax);
  const auto same = plan_operations(5, 2000, kSizeMax);
  const auto other = plan_operations(6, 2000, kSizeMax);
  std::set<OpKind> kinds;
  bool differs = false;
  FileModel model(9, true, {.size_max = kSizeMax});
  for (std::size_t i = 0; i < plan.size(); ++i) {
    EXPECT_EQ(to_string(plan[i]), to_string(same[i]));
    differs = differs || to_string(plan[i]) != to_string(other[i]);
    kinds.insert(plan[i].kind);
    model.apply(plan[i]);
    ASSERT_LE(model.bytes().size(), kSizeMax) << to_string(plan[i]);
  }
  EXPECT_TRUE(differs);
  EXPECT_EQ(kinds.size(), kOpKindCount - 1) << "all but stores behind the end";
}

TEST(PlanOperations, SmallFilesStaySmallAndAreMostlyWrittenReadTruncatedAndEvicted) {
  constexpr std::uint64_t kSmall = 150;
  std::size_t usual = 0;
  std::uint64_t longest = 0;
  const auto plan = plan_operations(5, 2000, kSmall);
  for (const Operation& operation : plan) {
    usual += operation.kind == OpKind::kWrite || operation.kind == OpKind::kRead ||
             operation.kind == OpKind::kTruncate || operation.kind == OpKind::kEvict;
    longest = std::max(longest, operation.length);
    EXPECT_LT(operation.offset, kSmall);
  }
  EXPECT_GT(usual, plan.size() / 2);
  EXPECT_GT(longest, kSmall / 2) << "one write that fills the inode";
  EXPECT_LE(longest, kSmall);
}

TEST(PlanOperations, StoresBehindTheEndComeOnlyWhenAskedFor) {
  const auto stores = [](const std::vector<Operation>& plan) {
    return std::ranges::count(plan, OpKind::kStoreBehind, &Operation::kind);
  };
  EXPECT_EQ(stores(plan_operations(5, 2000, kSizeMax)), 0);
  EXPECT_GT(stores(plan_operations(5, 2000, kSizeMax, true)), 20);
}

TEST_F(FileModelTest, DirectAccessTakesWholeUnits) {
  model_.apply(operation(OpKind::kDirectWrite, 700, 100, 1));
  ASSERT_EQ(model_.bytes().size(), 1024U);
  EXPECT_TRUE(is_zero(0, 512) && holds(1, 512, 512));
  model_.apply(operation(OpKind::kWrite, 1000, 100, 2));
  ASSERT_EQ(model_.bytes().size(), 1100U);
  const FileRange read = model_.reach(operation(OpKind::kDirectRead, 600, 5000));
  EXPECT_EQ(read.offset, 512U);
  EXPECT_EQ(read.offset + read.length, 1536U) << "across the end, but not beyond the file's last block";
}

TEST_F(FileModelTest, BlocksAreTakenOutAndPutIn) {
  model_.apply(operation(OpKind::kWrite, 0, 9000, 1));
  model_.apply(operation(OpKind::kCollapse, 100, 100));
  ASSERT_EQ(model_.bytes().size(), 4904U);
  std::vector<std::byte> moved(4904);
  Pattern({.run = 9, .file = 1}, true).fill_bytes(4096, moved);
  EXPECT_TRUE(std::ranges::equal(moved, model_.bytes()));
  model_.apply(operation(OpKind::kInsert, 4096, 1));
  ASSERT_EQ(model_.bytes().size(), 9000U);
  EXPECT_TRUE(is_zero(4096, 4096));
  model_.apply(operation(OpKind::kInsert, 0, 1));
  EXPECT_EQ(model_.bytes().size(), 9000U) << "beyond the largest size: nothing";
}

TEST_F(FileModelTest, TheCloneIsOnItsOwn) {
  model_.apply(operation(OpKind::kTwinWrite, 0, 10, 3));
  EXPECT_TRUE(model_.twin().empty()) << "before the first clone";
  model_.apply(operation(OpKind::kWrite, 0, 500, 1));
  model_.apply(operation(OpKind::kClone, 0, 1));
  model_.apply(operation(OpKind::kWrite, 0, 100, 2));
  model_.apply(operation(OpKind::kTwinWrite, 490, 20, 3));
  EXPECT_EQ(model_.bytes().size(), 500U);
  ASSERT_EQ(model_.twin().size(), 510U);
  std::vector<std::byte> first(490);
  Pattern({.run = 9, .file = 1}, true).fill_bytes(0, first);
  EXPECT_TRUE(std::ranges::equal(first, std::span(model_.twin()).first(490)));
}

TEST_F(FileModelTest, ARangeIsClonedInWholeBlocksThatAreThere) {
  model_.apply(operation(OpKind::kWrite, 0, 6000, 1));
  Operation clone = operation(OpKind::kCloneRange, 100, 5000);
  clone.target = 5000;
  EXPECT_EQ(model_.target(clone), 4096U);
  EXPECT_EQ(model_.reach(clone).offset, 0U);
  EXPECT_EQ(model_.reach(clone).length, 4096U) << "the second block is not there as a whole, and is the target's";
  model_.apply(clone);
  ASSERT_EQ(model_.bytes().size(), 8192U);
  EXPECT_TRUE(std::ranges::equal(std::span(model_.bytes()).first(4096), std::span(model_.bytes()).last(4096)));
  clone.target = 9000;
  EXPECT_EQ(model_.reach(clone).length, 0U) << "beyond the largest size: nothing";
}

TEST_F(FileModelTest, DeduplicationChangesNothing) {
  model_.apply(operation(OpKind::kWrite, 0, 9000, 1));
  EXPECT_EQ(model_.reach(operation(OpKind::kDedupe, 0, 9000)).length, 0U) << "before the first clone";
  model_.apply(operation(OpKind::kClone, 0, 0));
  model_.apply(operation(OpKind::kTwinWrite, 5000, 10, 2));
  const std::vector<std::byte> bytes = model_.bytes(), twin = model_.twin();
  EXPECT_EQ(model_.reach(operation(OpKind::kDedupe, 0, 9000)).length, 8192U);
  model_.apply(operation(OpKind::kDedupe, 0, 9000));
  EXPECT_TRUE(bytes == model_.bytes() && twin == model_.twin());
}

TEST_F(FileModelTest, PartsAreAFewUnitsAndRewritingEndsWithTheSecondWrite) {
  const FileRange parts = model_.reach(operation(OpKind::kDirectParts, 700, 9000));
  EXPECT_EQ(parts.offset, 512U);
  EXPECT_EQ(parts.length, 8 * 512U);
  const Operation rewrite = operation(OpKind::kRewrite, 100, 300, 4);
  EXPECT_NE(model_.earlier_data(rewrite, {100, 300}), model_.data(rewrite, {100, 300}));
  model_.apply(rewrite);
  EXPECT_TRUE(is_zero(0, 100) && holds(4, 100, 300));
  const Operation store = operation(OpKind::kStoreSynced, 0, 0, 5);
  EXPECT_EQ(model_.reach(store).offset, 400U);
  model_.apply(store);
  EXPECT_EQ(model_.bytes().size(), 400U);
}

TEST_F(FileModelTest, PlacesNearTheEndFollowIt) {
  model_.apply(operation(OpKind::kWrite, 0, 9000, 1));
  Operation cut = operation(OpKind::kTruncate, 3100, 0);
  cut.near_end = true;
  const Operation fixed = model_.resolved(cut);
  EXPECT_EQ(fixed.offset, 8900U);
  EXPECT_FALSE(fixed.near_end) << "what comes of it no longer depends on the size";
  model_.apply(cut);
  EXPECT_EQ(model_.bytes().size(), 8900U);
  model_.apply(cut);
  EXPECT_EQ(model_.bytes().size(), 8800U);
}

}  // namespace
}  // namespace writecanary::probe
