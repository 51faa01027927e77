#include "daemon/calendar/window.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "core/text/units.h"

namespace writecanary::daemon {
namespace {

SystemTime time(const char* text) { return from_unix_ms(*parse_timestamp_ms(text)); }

Window window(const char* text) {
  auto parsed = Window::parse(text);
  EXPECT_TRUE(parsed.value) << parsed.error;
  return *parsed.value;
}

struct LocalCase {
  const char* zone;
  const char* utc;
  const char* local;  // the minute that begins there then
};

class LocalTimes : public testing::TestWithParam<LocalCase> {};

TEST_P(LocalTimes, AreThoseOfTheZone) {
  const auto& [zone, utc, local] = GetParam();
  const int hours = std::stoi(local);
  const int minutes = std::stoi(local + 3);
  const std::string next = fmt::format("{:02}:{:02}", minutes == 59 ? (hours + 1) % 24 : hours, (minutes + 1) % 60);
  EXPECT_TRUE(window(fmt::format("{}-{} {}", local, next, zone).c_str()).contains(time(utc))) << zone << " at " << utc;
}

INSTANTIATE_TEST_SUITE_P(
    KnownDates, LocalTimes,
    testing::Values(LocalCase{"Europe/London", "2026-03-29T00:59:59Z", "00:59"},
                    LocalCase{"Europe/London", "2026-03-29T01:00:00Z", "02:00"},
                    LocalCase{"Europe/London", "2026-10-25T00:59:59Z", "01:59"},
                    LocalCase{"Europe/London", "2026-10-25T01:00:00Z", "01:00"},
                    // Beyond the last listed transition: the rule at the end of the file.
                    LocalCase{"Europe/London", "2045-07-01T12:00:00Z", "13:00"},
                    LocalCase{"Europe/London", "2055-03-28T00:59:59Z", "00:59"},
                    LocalCase{"Europe/London", "2055-03-28T01:00:00Z", "02:00"},
                    LocalCase{"America/New_York", "2026-03-08T06:59:59Z", "01:59"},
                    LocalCase{"America/New_York", "2026-03-08T07:00:00Z", "03:00"},
                    LocalCase{"Australia/Lord_Howe", "2026-01-01T00:00:00Z", "11:00"},
                    LocalCase{"Australia/Lord_Howe", "2026-07-01T00:00:00Z", "10:30"},
                    LocalCase{"Australia/Lord_Howe", "2060-01-01T00:00:00Z", "11:00"},
                    LocalCase{"Asia/Kathmandu", "2026-01-01T00:00:00Z", "05:45"},
                    // Rules with hours before the day and beyond it, and with winter time as the exception.
                    LocalCase{"America/Nuuk", "2050-03-27T00:59:59Z", "22:59"},
                    LocalCase{"America/Nuuk", "2050-03-27T01:00:00Z", "00:00"},
                    LocalCase{"Asia/Gaza", "2050-03-25T23:59:59Z", "01:59"},
                    LocalCase{"Asia/Gaza", "2050-03-26T00:00:00Z", "03:00"},
                    LocalCase{"Europe/Dublin", "2050-01-01T00:00:00Z", "00:00"},
                    LocalCase{"Europe/Dublin", "2050-07-01T00:00:00Z", "01:00"},
                    LocalCase{"America/St_Johns", "1890-01-01T00:00:00Z", "20:29"},
                    LocalCase{"UTC", "2026-07-01T00:00:00Z", "00:00"}));

TEST(Window, RefusesWhatIsNoZone) {
  for (const char* name : {"Europe/Nowhere", "/etc/passwd", "../../etc/passwd", "/usr/share/zoneinfo/Europe/London",
                           "Europe", "zone.tab", "libc:localtime", "Fixed/UTC+01:00:00"}) {
    const auto parsed = Window::parse(fmt::format("20:00-06:00 {}", name));
    EXPECT_FALSE(parsed.value) << name;
    EXPECT_NE(parsed.error.find(fmt::format("no time zone \"{}\"", name)), std::string::npos) << parsed.error;
  }
}

TEST(Window, KnowsDaysTimesAndZone) {
  const auto nights = window("Mon-Fri 20:00-06:00 Europe/London");
  EXPECT_FALSE(nights.contains(time("2026-06-05T18:59:59Z")));  // Friday 19:59 in London
  EXPECT_TRUE(nights.contains(time("2026-06-05T19:00:00Z")));
  EXPECT_TRUE(nights.contains(time("2026-06-06T04:59:59Z")));  // Saturday morning belongs to Friday
  EXPECT_FALSE(nights.contains(time("2026-06-06T05:00:00Z")));
  EXPECT_FALSE(nights.contains(time("2026-06-06T19:00:00Z")));  // Saturday evening
  EXPECT_FALSE(nights.contains(time("2026-06-08T04:00:00Z")));  // Monday morning belongs to Sunday
  EXPECT_TRUE(window("00:00-24:00").contains(time("2026-06-06T00:00:00Z")));
  EXPECT_TRUE(window("Sat,Sun 10:00-11:00").contains(time("2026-06-07T10:59:59Z")));
  EXPECT_FALSE(window("Fri-Mon 10:00-11:00").contains(time("2026-06-09T10:30:00Z")));  // Tuesday
}

TEST(Window, OpensAtTheMinute) {
  const auto nights = window("Mon-Fri 20:00-06:00 Europe/London");
  const auto inside = time("2026-06-05T21:00:00Z");
  EXPECT_EQ(nights.next_opening(inside), inside);
  EXPECT_EQ(nights.next_opening(time("2026-06-06T05:00:00Z")), time("2026-06-08T19:00:00Z"));
  // The clocks go back on Sunday 25 October: the next opening is at 20:00 GMT.
  EXPECT_EQ(nights.next_opening(time("2026-10-24T12:00:00Z")), time("2026-10-26T20:00:00Z"));
}

TEST(Window, FollowsTheChangeOfTheClocks) {
  const auto small_hours = window("01:30-02:30 Europe/London");
  // 29 March: 01:00 to 02:00 does not exist, so it opens at 02:00 local time, which is 01:00 UTC.
  EXPECT_EQ(small_hours.next_opening(time("2026-03-28T12:00:00Z")), time("2026-03-29T01:00:00Z"));
  // 25 October: 01:30 comes twice, and both times are inside.
  EXPECT_TRUE(small_hours.contains(time("2026-10-25T00:30:00Z")));
  EXPECT_TRUE(small_hours.contains(time("2026-10-25T01:30:00Z")));
  // A span that lies wholly within the skipped hour opens a week later.
  EXPECT_EQ(window("Sun 01:10-01:50 Europe/London").next_opening(time("2026-03-29T00:00:00Z")),
            time("2026-04-05T00:10:00Z"));
}

// Around both changes of the clocks in a zone with an offset of half an hour, and in one that changes at midnight.
TEST(Window, OpensWhenAWatchOfEveryMinuteSaysSo) {
  for (const char* text : {"Sat,Sun 01:59-02:01 Australia/Lord_Howe", "Sun 00:30-00:31 America/Havana",
                           "Mon-Fri 20:00-06:00 Europe/London", "00:00-00:01 Asia/Kolkata", "Wed 23:59-24:00"}) {
    const Window watched = window(text);
    for (const char* month :
         {"2026-03-06T00:00:00Z", "2026-04-03T00:00:00Z", "2026-10-02T00:00:00Z", "2026-10-30T00:00:00Z"}) {
      SystemTime opening = time(month) + std::chrono::hours{72};
      for (auto now = opening; now >= time(month); now -= std::chrono::minutes{1}) {
        if (watched.contains(now)) opening = now;
        if (now < time(month) + std::chrono::hours{24} && opening < time(month) + std::chrono::hours{72}) {
          ASSERT_EQ(to_unix_ms(watched.next_opening(now)), to_unix_ms(opening)) << text << " from " << to_unix_ms(now);
        }
      }
    }
  }
}

TEST(Window, SaysWhatIsWrong) {
  const auto error = [](const char* text) { return Window::parse(text).error; };
  EXPECT_EQ(error("Mon-Fry 20:00-06:00"),
            "window \"Mon-Fry 20:00-06:00\": \"Mon-Fry\" is not a list of days. Write it like \"Mon-Fri 20:00-06:00 "
            "Europe/London\"");
  EXPECT_NE(error("Mon").find("the times are missing"), std::string::npos);
  EXPECT_NE(error("").find("the times are missing"), std::string::npos);
  for (const char* span : {"20:00", "20:00-25:00", "20:00-06:60", "24:00-06:00", "2:00-06:00", "20:00-06:00-07:00"}) {
    EXPECT_NE(error(span).find("is not a span of times"), std::string::npos) << span;
  }
  EXPECT_NE(error("20:00-20:00").find("00:00-24:00"), std::string::npos);
  EXPECT_NE(error("20:00-06:00 Europe/Lundon").find("no time zone \"Europe/Lundon\""), std::string::npos);
  EXPECT_NE(error("20:00-06:00 UTC now").find("one word too many"), std::string::npos);
}

}  // namespace
}  // namespace writecanary::daemon
