#include "probe/trap/tick_phase.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

namespace writecanary::probe {
namespace {

constexpr std::int64_t kTick = 4'000'000;
constexpr std::int64_t kStep = 50'000;  // the shortest sleep

// The two clocks of a kernel whose ticks come at `phase` past each multiple of kTick.
class Clocks {
 public:
  explicit Clocks(std::int64_t phase) : phase_(phase) {}
  void pass(std::int64_t duration) { now_ += duration; }
  std::int64_t exact() const { return now_; }
  std::int64_t coarse() const { return (now_ - phase_) / kTick * kTick; }
  std::int64_t until_next() const { return coarse() + phase_ + kTick - now_; }

 private:
  std::int64_t phase_;
  std::int64_t now_ = 1'000 * kTick + 123'456;
};

class TickPhaseTest : public testing::TestWithParam<std::int64_t> {};

TEST_P(TickPhaseTest, KnowsTheNextTickAfterOne) {
  Clocks clocks(GetParam());
  TickPhase phase(kTick);
  const std::int64_t end = clocks.exact() + kTick + kStep;
  while (clocks.exact() < end) clocks.pass(std::max(kStep, phase.until_next(clocks.coarse(), clocks.exact())));
  for (int reading = 0; reading < 200; ++reading) {
    clocks.pass(777'777);
    EXPECT_NEAR(phase.until_next(clocks.coarse(), clocks.exact()), clocks.until_next(), kStep) << reading;
  }
}

TEST_P(TickPhaseTest, NeverWaitsLongerThanATickForAnEarlyMoment) {
  Clocks clocks(GetParam());
  TickPhase phase(kTick);
  for (int write = 0; write < 50; ++write) {
    const std::int64_t begun = clocks.exact();
    for (;;) {
      const std::int64_t left = phase.until_next(clocks.coarse(), clocks.exact());
      if (left >= kTick / 2) break;
      clocks.pass(std::max(left, kStep));
    }
    EXPECT_LE(clocks.exact() - begun, kTick + kStep) << write;
    EXPECT_GE(clocks.until_next(), kTick / 2 - kStep) << write;
    clocks.pass(300'000);
  }
}

INSTANTIATE_TEST_SUITE_P(Phases, TickPhaseTest,
                         testing::Values(0, 1, 40'000, 1'000'000, 2'000'000, 2'500'000, 3'600'000, 3'999'999));

TEST(TickPhaseTest, AReadingThatWasInterruptedIsForgotten) {
  Clocks clocks(1'000'000);
  TickPhase phase(kTick);
  for (int reading = 0; reading < 100; ++reading) {
    phase.until_next(clocks.coarse(), clocks.exact());
    clocks.pass(kStep);
  }
  phase.until_next(clocks.coarse(), clocks.exact() + 20 * kTick);  // lost its turn between the two clocks
  for (int reading = 0; reading < 100; ++reading) {
    phase.until_next(clocks.coarse(), clocks.exact());
    clocks.pass(kStep);
  }
  EXPECT_NEAR(phase.until_next(clocks.coarse(), clocks.exact()), clocks.until_next(), kStep);
}

}  // namespace
}  // namespace writecanary::probe
