#include "probe/pattern/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace writecanary::probe {
namespace {

std::vector<std::uint64_t> lengths(Plan plan, std::size_t count) {
  std::vector<std::uint64_t> result(count);
  for (auto& length : result) length = plan.next_length();
  return result;
}

TEST(PlanTest, SameSeedSameLengthsForEver) {
  EXPECT_THAT(lengths(Plan(42, 64 << 10, 1 << 20), 6),
              testing::ElementsAre(309808, 157096, 712264, 1046128, 258360, 345448));
  EXPECT_EQ(derive_seed(42, 0), 6332618229526065668U);
  EXPECT_EQ(derive_seed(42, 1), 17630415256238047317U);
}

TEST(PlanTest, LengthsAreWordsAndNeverPages) {
  for (const std::uint64_t length : lengths(Plan(7, 4096, 16384), 20000)) {
    EXPECT_EQ(length % 8, 0U);
    EXPECT_NE(length % 4096, 0U);
    EXPECT_GE(length, 4096U);
    EXPECT_LE(length, 16384U);
  }
}

TEST(PlanTest, ReachesEveryLengthOfASmallRange) {
  const auto some = lengths(Plan(3, 4092, 4130), 2000);
  EXPECT_THAT(std::set<std::uint64_t>(some.begin(), some.end()), testing::ElementsAre(4104, 4112, 4120, 4128));
}

TEST(PlanTest, OneLengthStaysThatLength) { EXPECT_THAT(lengths(Plan(9, 262152, 262152), 3), testing::Each(262152)); }

TEST(PlanTest, SeedsAndDerivedSeedsGiveDifferentSequences) {
  EXPECT_NE(lengths(Plan(1, 8, 1 << 20), 8), lengths(Plan(2, 8, 1 << 20), 8));
  std::set<std::uint64_t> seeds;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    for (std::uint64_t stream = 0; stream < 30; ++stream) seeds.insert(derive_seed(seed, stream));
  }
  EXPECT_EQ(seeds.size(), 900U);
}

TEST(PlanDeathTest, RefusesRangesWithoutAnyLength) {
  EXPECT_DEATH(Plan(1, 4096, 4096), "check failed");
  EXPECT_DEATH(Plan(1, 9, 15), "check failed");
  EXPECT_DEATH(Plan(1, 0, 100), "check failed");
}

}  // namespace
}  // namespace writecanary::probe
