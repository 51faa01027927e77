#include "probe/run/meter.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace writecanary::probe {
namespace {

class MeterTest : public testing::Test {
 protected:
  void count(Route route, std::int64_t result = 100) {
    WriteRef write;
    write.route = route;
    write.length_bytes = 100;
    write.result = result;
    meter_.count(write, false);
  }

  SystemClock clock_;
  Meter meter_{clock_};
};

TEST_F(MeterTest, OnlyWhatWasSeenToBePuntedCountsAsPunted) {
  for (const Route route : kAllRoutes) count(route);
  EXPECT_EQ(meter_.counters().writes, kAllRoutes.size());
  EXPECT_EQ(meter_.counters().inline_writes, 1U);
  EXPECT_EQ(meter_.counters().punted, 1U);
}

TEST_F(MeterTest, OnlyAcknowledgedBytesCountAsWritten) {
  for (const std::int64_t result : {100, 60, -ENOMEM, -EIO}) count(Route::kSync, result);
  EXPECT_EQ(meter_.counters().bytes_written, 160U);
  EXPECT_EQ(meter_.counters().short_results, 1U);
  EXPECT_EQ(meter_.counters().cqe_enomem, 1U);
}

TEST_F(MeterTest, TheFirstFindingHasItsTime) {
  meter_.count_findings({});
  EXPECT_EQ(meter_.first_finding_seconds(), std::nullopt);
  FindingTally tally;
  tally.add(FindingKind::kTorn, 8);
  meter_.count_findings(tally);
  const auto first = meter_.first_finding_seconds();
  ASSERT_TRUE(first);
  meter_.count_findings(tally);
  EXPECT_EQ(meter_.first_finding_seconds(), first);
  EXPECT_EQ(meter_.tally().count_of(FindingKind::kTorn), 2U);
  EXPECT_EQ(meter_.tally().bytes_of(FindingKind::kTorn), 16U);
}

TEST_F(MeterTest, WhatWasSeenHasItsTimeBeforeItIsReported) {
  meter_.saw_finding();
  EXPECT_TRUE(meter_.first_finding_seconds());
  EXPECT_EQ(meter_.tally().total(), 0U);
}

}  // namespace
}  // namespace writecanary::probe
