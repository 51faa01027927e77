// The intervals against those of R (poisson.test).
#include "core/base/rates.h"

#include <gtest/gtest.h>

namespace writecanary {
namespace {

TEST(Rates, IntervalsAreThoseOfGarwood) {
  EXPECT_FALSE(rate_interval_95(3, 0));
  EXPECT_EQ(rate_interval_95(0, 1)->low, 0);
  EXPECT_NEAR(rate_interval_95(0, 1)->high, 3.688879, 1e-6);
  EXPECT_NEAR(rate_interval_95(1, 1)->low, 0.02531781, 1e-7);
  EXPECT_NEAR(rate_interval_95(1, 1)->high, 5.571643, 1e-6);
  EXPECT_NEAR(rate_interval_95(10, 1000)->low, 4.795389e-3, 1e-9);
  EXPECT_NEAR(rate_interval_95(10, 1000)->high, 18.39036e-3, 1e-8);
  // Where the sum ends and the approximation begins.
  EXPECT_NEAR(rate_interval_95(1001, 1)->low - rate_interval_95(1000, 1)->low, 0.97, 0.01);
  EXPECT_NEAR(rate_interval_95(1001, 1)->high - rate_interval_95(1000, 1)->high, 1.03, 0.01);
}

TEST(Rates, RatiosAreThoseOfTheConditionalTest) {
  const auto twice = rate_ratio_95(10, 1000, 5, 1000);
  EXPECT_NEAR(*twice->ratio, 2, 1e-12);
  EXPECT_NEAR(twice->low, 0.62286, 1e-5);
  EXPECT_NEAR(*twice->high, 7.45730, 1e-5);
  const auto same_with_more = rate_ratio_95(20, 4000, 5, 1000);
  EXPECT_NEAR(*same_with_more->ratio, 1, 1e-12);
  EXPECT_LT(same_with_more->low, 1);
  EXPECT_GT(*same_with_more->high, 1);
}

TEST(Rates, WithoutFindingsOnOneSideTheIntervalIsOpen) {
  const auto gone = rate_ratio_95(0, 1000, 5, 1000);
  EXPECT_EQ(*gone->ratio, 0);
  EXPECT_EQ(gone->low, 0);
  EXPECT_NEAR(*gone->high, 1.09128, 1e-5);
  const auto fresh = rate_ratio_95(5, 1000, 0, 1000);
  EXPECT_FALSE(fresh->ratio);
  EXPECT_NEAR(fresh->low, 1 / 1.09128, 1e-5);
  EXPECT_FALSE(fresh->high);
}

TEST(Rates, NothingIsKnownWithoutEvidenceOnBothSides) {
  EXPECT_FALSE(rate_ratio_95(1, 0, 1, 10));
  EXPECT_FALSE(rate_ratio_95(1, 10, 1, 0));
  EXPECT_FALSE(rate_ratio_95(0, 10, 0, 10));
}

TEST(Rates, LargeNumbersAreNarrow) {
  const auto nearly_same = rate_ratio_95(1'000'000, 10'000'000, 990'000, 10'000'000);
  EXPECT_NEAR(nearly_same->low, 1.0073, 1e-4);
  EXPECT_NEAR(*nearly_same->high, 1.0129, 1e-4);
}

}  // namespace
}  // namespace writecanary
