// When an incident is over, and when its rate has risen.
#include "core/run/incident.h"

#include <gtest/gtest.h>

#include <cmath>

namespace writecanary {
namespace {

TEST(IncidentTest, NamesAreReadAsTheyAreWritten) {
  for (const auto state : kAllIncidentStates) EXPECT_EQ(parse_incident_state(to_string(state)), state);
  for (const auto until : {KnownUntil::kKernel, KnownUntil::kDate, KnownUntil::kRate}) {
    EXPECT_EQ(parse_known_until(to_string(until)), until);
  }
  EXPECT_FALSE(parse_incident_state("closed"));
  EXPECT_FALSE(parse_known_until(""));
}

TEST(IncidentTest, WhatIsFrequentIsOverAfterTheLeastThatSaysAnything) {
  EXPECT_EQ(exposures_to_resolve({.findings = 19'200, .exposures = 96'000, .runs_with = 96, .runs = 96}),
            kResolveExposuresMin);
  EXPECT_EQ(runs_to_resolve({.findings = 19'200, .exposures = 96'000, .runs_with = 96, .runs = 96}), kResolveRunsMin);
  EXPECT_EQ(exposures_to_resolve({}), kResolveExposuresMin) << "of what was never exposed nothing is known";
  EXPECT_EQ(runs_to_resolve({}), kResolveRunsMin);
}

TEST(IncidentTest, NoneIsSeenAtTheLowerBoundWithAProbabilityBelowATenthOfAPercent) {
  // One finding in a million exposures: the lower bound of the mean is 0.0513.
  const Measured rare{.findings = 1, .exposures = 1'000'000, .runs_with = 1, .runs = 100};
  const auto exposures = static_cast<double>(exposures_to_resolve(rare));
  EXPECT_LE(std::exp(-exposures * 0.051293 / 1e6), 0.00101);
  EXPECT_GE(std::exp(-(exposures - 100) * 0.051293 / 1e6), 0.00099);
  const auto runs = static_cast<double>(runs_to_resolve(rare));
  EXPECT_LE(std::pow(0.99, runs), 0.001);
  EXPECT_GT(std::pow(0.99, runs - 1), 0.001);
}

TEST(IncidentTest, MoreFindingsInAsManyExposuresAreOverSooner) {
  std::uint64_t before = UINT64_MAX;
  for (const std::uint64_t findings : {1, 2, 5, 50, 999, 1'001, 5'000}) {
    const auto now = exposures_to_resolve({.findings = findings, .exposures = 10'000'000});
    EXPECT_LT(now, before) << findings;
    before = now;
  }
}

TEST(IncidentTest, ARateThatRoseBeyondChanceIsNotTheSame) {
  const Measured before{.findings = 100, .exposures = 100'000};
  EXPECT_FALSE(rate_rose(before, {.findings = 120, .exposures = 100'000}));
  EXPECT_TRUE(rate_rose(before, {.findings = 160, .exposures = 100'000}));
  EXPECT_FALSE(rate_rose(before, {.findings = 3, .exposures = 1'000})) << "three may be chance";
  EXPECT_FALSE(rate_rose(before, {}));
  EXPECT_FALSE(rate_rose({}, {.findings = 3, .exposures = 1'000})) << "what it was is not known";
}

}  // namespace
}  // namespace writecanary
