// When the wall clock is believed, and what it is when it is not.
#include "daemon/clock/clock_trust.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace writecanary::daemon {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Change = ClockTrust::Change;

constexpr hours kYear{24 * 365};
constexpr hours kDay{24};

class ClockTrustTest : public testing::Test {
 protected:
  ClockTrustTest() { trust_.look(now_); }
  // Time goes by on both clocks.
  Change after(milliseconds time) {
    now_.wall_ms += time.count();
    now_.boot_ms += time.count();
    return trust_.look(now_);
  }
  // Somebody sets the wall clock.
  Change set(milliseconds step) {
    now_.wall_ms += step.count();
    return trust_.look(now_);
  }
  Change reboot(milliseconds off) {
    now_ = {now_.wall_ms + off.count() + 30'000, 30'000, now_.boot + "+"};
    return trust_.look(now_);
  }
  // Evenly, as a daemon looks.
  Change go_on(milliseconds time) {
    auto change = Change::kNone;
    for (milliseconds gone{0}; gone < time && change == Change::kNone; gone += minutes{20}) change = after(minutes{20});
    return change;
  }
  milliseconds wrong() const { return milliseconds{trust_.believed_ms(now_) - now_.wall_ms}; }

  ClockReading now_{1'780'000'000'000, 5'000'000, "boot"};
  ClockTrust trust_{{now_, std::nullopt}};
};

TEST_F(ClockTrustTest, AClockThatGoesIsBelieved) {
  EXPECT_EQ(go_on(30 * kDay), Change::kNone);
  EXPECT_FALSE(trust_.suspect());
  EXPECT_EQ(wrong().count(), 0);
  EXPECT_GT(trust_.memory().trusted.wall_ms, now_.wall_ms - 3 * 3'600'000) << "renewed";
}

TEST_F(ClockTrustTest, AYearAheadForAMinute) {
  after(seconds{10});
  EXPECT_EQ(set(kYear), Change::kJumped);
  EXPECT_TRUE(trust_.suspect());
  EXPECT_EQ(wrong(), -kYear);
  EXPECT_EQ(after(minutes{1}), Change::kNone) << "said once";
  EXPECT_EQ(wrong(), -kYear) << "the believed time goes on";
  EXPECT_EQ(set(-kYear), Change::kBack);
  EXPECT_FALSE(trust_.suspect());
}

TEST_F(ClockTrustTest, BehindIsNoBetter) {
  EXPECT_EQ(set(-kYear), Change::kJumped);
  EXPECT_EQ(wrong(), kYear);
  EXPECT_EQ(set(kYear), Change::kBack);
}

TEST_F(ClockTrustTest, SmallStepsAreCorrections) {
  EXPECT_EQ(set(minutes{4}), Change::kNone);
  EXPECT_EQ(set(minutes{4}), Change::kJumped) << "not as many as somebody likes";
  EXPECT_EQ(set(-minutes{4}), Change::kBack);
  after(hours{2});
  EXPECT_EQ(set(minutes{4}), Change::kNone) << "hours later, that is another one";
}

TEST_F(ClockTrustTest, AnotherTimeIsBelievedAfterAWeek) {
  set(kYear);
  EXPECT_EQ(go_on(kSettling - hours{1}), Change::kNone);
  EXPECT_TRUE(trust_.suspect());
  EXPECT_EQ(go_on(hours{2}), Change::kSettled);
  EXPECT_FALSE(trust_.suspect());
  EXPECT_EQ(wrong().count(), 0);
}

TEST_F(ClockTrustTest, AJumpBeginsTheWeekAnew) {
  set(kYear);
  go_on(kSettling - hours{1});
  EXPECT_EQ(set(kYear), Change::kJumped);
  EXPECT_EQ(go_on(hours{2}), Change::kNone);
  EXPECT_TRUE(trust_.suspect());
}

TEST_F(ClockTrustTest, ARebootIsNoJump) {
  EXPECT_EQ(reboot(minutes{1}), Change::kNone);
  EXPECT_EQ(reboot(3 * kDay), Change::kNone) << "a weekend";
  EXPECT_EQ(set(kYear), Change::kJumped) << "and from then on it is exact";
}

TEST_F(ClockTrustTest, ABatteryThatIsEmptyIsSeen) {
  EXPECT_EQ(reboot(milliseconds{-1'779'000'000'000}), Change::kJumped) << "back to 1970";
  EXPECT_GE(trust_.believed_ms(now_), 1'780'000'030'000);
  EXPECT_EQ(set(milliseconds{1'779'000'000'000} + minutes{2}), Change::kBack) << "a time server was asked";
  EXPECT_EQ(reboot(kYear), Change::kJumped) << "off for a year, or a year ahead: nobody knows";
  EXPECT_EQ(set(-kYear), Change::kBack);
  after(hours{10});
  EXPECT_EQ(reboot(-hours{1}), Change::kJumped) << "no time goes back";
}

TEST_F(ClockTrustTest, AWeekGoesOnOverReboots) {
  set(kYear);
  go_on(3 * kDay);
  EXPECT_EQ(reboot(hours{1}), Change::kNone);
  go_on(3 * kDay);
  EXPECT_TRUE(trust_.suspect());
  EXPECT_EQ(go_on(kDay), Change::kSettled);
}

TEST_F(ClockTrustTest, AClockThatWasNotSetYetIsNoReasonToDoubt) {
  now_ = {5'000, 5'000, "boot"};
  trust_ = ClockTrust({now_, std::nullopt});
  EXPECT_EQ(set(milliseconds{1'780'000'000'000}), Change::kNone);
  EXPECT_EQ(set(kYear), Change::kJumped) << "but from now on it is";
}

TEST_F(ClockTrustTest, WhatIsRememberedIsTheSameAgain) {
  set(kYear);
  EXPECT_EQ(nlohmann::json(trust_.memory()).get<ClockMemory>(), trust_.memory());
  set(-kYear);
  EXPECT_EQ(nlohmann::json(trust_.memory()).get<ClockMemory>(), trust_.memory());
}

}  // namespace
}  // namespace writecanary::daemon
