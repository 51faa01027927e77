#include <gtest/gtest.h>

#include "core/base/units.h"
#include "daemon/calendar/posix_tz.h"
#include "daemon/calendar/window.h"
#include "daemon/calendar/zone.h"

namespace writecanary::daemon {
namespace {

std::int64_t seconds(const char* text) { return *parse_timestamp_ms(text) / 1000; }
SystemTime time(const char* text) { return from_unix_ms(*parse_timestamp_ms(text)); }

Window window(const char* text) {
  auto parsed = Window::parse(text);
  EXPECT_TRUE(parsed.value) << parsed.error;
  return *parsed.value;
}

struct OffsetCase {
  const char* zone;
  const char* utc;
  int offset;
};

class ZoneOffsets : public testing::TestWithParam<OffsetCase> {};

TEST_P(ZoneOffsets, AreThoseOfTheZone) {
  const auto& [name, utc, offset] = GetParam();
  const auto zone = Zone::load(name);
  ASSERT_TRUE(zone);
  EXPECT_EQ(zone->offset_at(seconds(utc)), offset) << name << " at " << utc;
}

INSTANTIATE_TEST_SUITE_P(KnownDates, ZoneOffsets,
                         testing::Values(OffsetCase{"Europe/London", "2026-03-29T00:59:59Z", 0},
                                         OffsetCase{"Europe/London", "2026-03-29T01:00:00Z", 3600},
                                         OffsetCase{"Europe/London", "2026-10-25T00:59:59Z", 3600},
                                         OffsetCase{"Europe/London", "2026-10-25T01:00:00Z", 0},
                                         // Beyond the last listed transition: the rule at the end of the file.
                                         OffsetCase{"Europe/London", "2055-03-28T00:59:59Z", 0},
                                         OffsetCase{"Europe/London", "2055-03-28T01:00:00Z", 3600},
                                         OffsetCase{"America/New_York", "2026-03-08T06:59:59Z", -5 * 3600},
                                         OffsetCase{"America/New_York", "2026-03-08T07:00:00Z", -4 * 3600},
                                         OffsetCase{"Australia/Lord_Howe", "2026-01-01T00:00:00Z", 11 * 3600},
                                         OffsetCase{"Australia/Lord_Howe", "2026-07-01T00:00:00Z", 10 * 3600 + 1800},
                                         OffsetCase{"Australia/Lord_Howe", "2060-01-01T00:00:00Z", 11 * 3600},
                                         OffsetCase{"Asia/Kathmandu", "2026-01-01T00:00:00Z", 5 * 3600 + 45 * 60},
                                         OffsetCase{"America/St_Johns", "1890-01-01T00:00:00Z",
                                                    -(3 * 3600 + 30 * 60 + 52)},
                                         OffsetCase{"UTC", "2026-07-01T00:00:00Z", 0}));

TEST(Zone, RefusesWhatIsNoZone) {
  for (const char* name : {"", "Europe/Nowhere", "/etc/passwd", "../../etc/passwd", "Europe", "zone.tab"}) {
    EXPECT_FALSE(Zone::load(name)) << name;
  }
  EXPECT_FALSE(Zone::parse(""));
  EXPECT_FALSE(Zone::parse("TZif2 cut off"));
}

TEST(PosixTz, ReadsEveryForm) {
  const auto fixed = PosixTz::parse("<+0330>-3:30");
  ASSERT_TRUE(fixed);
  EXPECT_EQ(fixed->offset_at(0), 3 * 3600 + 1800);
  // Winter time as the exception: Dublin.
  const auto dublin = PosixTz::parse("IST-1GMT0,M10.5.0,M3.5.0/1");
  ASSERT_TRUE(dublin);
  EXPECT_EQ(dublin->offset_at(seconds("2050-07-01T00:00:00Z")), 3600);
  EXPECT_EQ(dublin->offset_at(seconds("2050-01-01T00:00:00Z")), 0);
  // Hours beyond a day, and negative ones.
  const auto gaza = PosixTz::parse("EET-2EEST,M3.4.4/50,M10.4.4/50");
  ASSERT_TRUE(gaza);
  EXPECT_EQ(gaza->offset_at(seconds("2050-03-25T23:59:59Z")), 7200);
  EXPECT_EQ(gaza->offset_at(seconds("2050-03-26T00:00:00Z")), 3 * 3600);
  // Day numbers: J60 is 1 March in every year, 59 is 29 February in a leap year.
  const auto julian = PosixTz::parse("AAA0BBB,J60/0,J300/0");
  ASSERT_TRUE(julian);
  EXPECT_EQ(julian->offset_at(seconds("2052-02-29T23:59:59Z")), 0);
  EXPECT_EQ(julian->offset_at(seconds("2052-03-01T00:00:00Z")), 3600);
  const auto plain = PosixTz::parse("AAA0BBB,59/0,300/0");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->offset_at(seconds("2052-02-29T00:00:00Z")), 3600);
  for (const char* wrong : {"", "AB0", "GMT0BST", "GMT0BST,M13.1.0,M10.5.0", "GMT0BST,M3.5.0", "GMT0 ", "<+03"}) {
    EXPECT_FALSE(PosixTz::parse(wrong)) << wrong;
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
