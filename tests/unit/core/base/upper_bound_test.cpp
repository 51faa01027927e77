#include "core/base/upper_bound.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

namespace writecanary {
namespace {

TEST(UpperBoundTest, AgreesWithTheTables) {
  EXPECT_FALSE(rate_upper_bound_95(0, 0));
  EXPECT_FALSE(rate_upper_bound_95(5, 0));
  // One-sided 95 % limits of a Poisson mean: chi-squared quantile with 2 (k + 1) degrees of freedom, halved.
  const std::pair<std::uint64_t, double> table[] = {{0, 2.9957},  {1, 4.7439},   {2, 6.2958},
                                                    {5, 10.5130}, {10, 16.9622}, {100, 118.07927}};
  for (const auto& [findings, mean] : table) {
    EXPECT_NEAR(*rate_upper_bound_95(findings, 1000), mean / 1000, 1e-7) << findings;
  }
}

TEST(LowerBoundTest, AgreesWithTheTables) {
  EXPECT_FALSE(rate_lower_bound_95(5, 0));
  EXPECT_EQ(rate_lower_bound_95(0, 1000), 0);
  // The chi-squared quantile with 2 k degrees of freedom, halved.
  const std::pair<std::uint64_t, double> table[] = {{1, 0.051293}, {2, 0.355362}, {5, 1.970150}, {10, 5.425406}};
  for (const auto& [findings, mean] : table) {
    EXPECT_NEAR(*rate_lower_bound_95(findings, 1000), mean / 1000, 1e-8) << findings;
  }
  EXPECT_NEAR(*rate_lower_bound_95(1001, 1) - *rate_lower_bound_95(1000, 1), 0.97, 0.05) << "where it is approximate";
}

TEST(UpperBoundTest, TheApproximationContinuesTheExactOne) {
  const double exact = *rate_upper_bound_95(1000, 1);
  const double approximate = *rate_upper_bound_95(1001, 1);
  EXPECT_GT(approximate, exact);
  EXPECT_NEAR(approximate - exact, 1.03, 0.05);
  EXPECT_TRUE(std::isfinite(*rate_upper_bound_95(UINT64_MAX / 2, 1)));
}

}  // namespace
}  // namespace writecanary
