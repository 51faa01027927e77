#include "core/text/units.h"

#include <gtest/gtest.h>

#include <limits>

namespace writecanary {
namespace {

using std::chrono::milliseconds;

TEST(Units, ParsesSizes) {
  constexpr std::pair<std::string_view, std::uint64_t> kCases[] = {
      {"0", 0},
      {"4096", 4096},
      {"7B", 7},
      {"64KiB", 64ULL << 10},
      {"64MiB", 64ULL << 20},
      {"1GiB", 1ULL << 30},
      {"2TiB", 2ULL << 40},
      {"1KB", 1000},
      {"10MB", 10'000'000},
      {"20GB", 20'000'000'000},
      {"1TB", 1'000'000'000'000},
      {"18446744073709551615", std::numeric_limits<std::uint64_t>::max()},
      {"16777215TiB", 16777215ULL << 40},
  };
  for (const auto& [text, bytes] : kCases) EXPECT_EQ(parse_size(text), bytes) << text;
}

TEST(Units, RefusesWhatIsNotASize) {
  for (const char* text : {"", "KiB", "-1", "+1", " 1", "1 ", "1 KiB", "1kib", "1K", "1KIB", "1.5GiB", "0x10", "1e3",
                           "18446744073709551616", "16777216TiB", "1KiB1"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
}

TEST(Units, ParsesDurations) {
  constexpr std::pair<std::string_view, std::int64_t> kCases[] = {
      {"0s", 0},          {"500ms", 500},         {"10s", 10'000},      {"15m", 900'000},
      {"2h", 7'200'000},  {"90d", 7'776'000'000}, {"1h30m", 5'400'000}, {"1d1h1m1s1ms", 90'061'001},
      {"90m", 5'400'000}, {"1d0h", 86'400'000},   {"1h5ms", 3'600'005}, {"9223372036854775807ms", INT64_MAX},
  };
  for (const auto& [text, ms] : kCases) EXPECT_EQ(parse_duration(text), milliseconds(ms)) << text;
}

TEST(Units, RefusesWhatIsNotADuration) {
  for (const char* text : {"",
                           "10",
                           "s",
                           "-1s",
                           "+1s",
                           " 1s",
                           "1s ",
                           "1 s",
                           "1.5s",
                           "30m1h",
                           "1h1h",
                           "1ms1s",
                           "1w",
                           "1S",
                           "1hour",
                           "1h30",
                           "9223372036854775808ms",
                           "106751991168d",
                           "9223372036854775807ms1d",
                           "106751991167d9223372036854775807ms"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(Units, ParsesPercentages) {
  constexpr std::pair<std::string_view, double> kCases[] = {{"0%", 0},     {"5%", 5},       {"0.5%", 0.5},
                                                            {"100%", 100}, {"100.0%", 100}, {"12.25%", 12.25}};
  for (const auto& [text, percent] : kCases) EXPECT_EQ(parse_percent(text), percent) << text;
}

TEST(Units, RefusesWhatIsNotAPercentage) {
  for (const char* text : {"", "%", "5", "5 %", " 5%", "-5%", "+5%", "100.1%", "101%", ".5%", "5.%", "1e1%", "inf%",
                           "nan%", "0x5%", "1.2.3%", "5%%"}) {
    EXPECT_EQ(parse_percent(text), std::nullopt) << text;
  }
}

TEST(Units, FormatsSizes) {
  constexpr std::pair<std::uint64_t, std::string_view> kCases[] = {
      {0, "0 B"},
      {1023, "1023 B"},
      {1024, "1 KiB"},
      {1536, "1.5 KiB"},
      {64ULL << 20, "64 MiB"},
      {(1ULL << 30) * 3 / 2, "1.5 GiB"},
      {1'000'000'000, "953.7 MiB"},
      {(1ULL << 20) - 1, "1 MiB"},
      {(1ULL << 20) - 100, "1023.9 KiB"},
      {std::numeric_limits<std::uint64_t>::max(), "16 EiB"},
  };
  for (const auto& [bytes, text] : kCases) EXPECT_EQ(format_size(bytes), text);
}

TEST(Units, FormatsDurations) {
  constexpr std::pair<std::int64_t, std::string_view> kCases[] = {
      {0, "0 ms"},
      {450, "450 ms"},
      {999, "999 ms"},
      {1000, "1 s"},
      {9'840, "9.8 s"},
      {59'949, "59.9 s"},
      {59'950, "1 min"},
      {90'000, "1 min 30 s"},
      {3'599'499, "59 min 59 s"},
      {3'599'500, "1 h"},
      {7'500'000, "2 h 5 min"},
      {86'399'999, "1 d"},
      {90LL * 86'400'000, "90 d"},
      {86'400'000 + 2 * 3'600'000, "1 d 2 h"},
      {-9'840, "-9.8 s"},
      {std::numeric_limits<std::int64_t>::min(), "-106751991167 d 7 h"},
  };
  for (const auto& [ms, text] : kCases) EXPECT_EQ(format_duration(milliseconds(ms)), text);
}

TEST(Units, ParsesTimestamps) {
  constexpr std::pair<std::string_view, std::int64_t> kCases[] = {
      {"0", 0},
      {"1780584393", 1'780'584'393'000},
      {"1970-01-01T00:00:00Z", 0},
      {"2026-06-04T14:46:33Z", 1'780'584'393'000},
      {"2026-06-04t14:46:33z", 1'780'584'393'000},
      {"2026-06-04T14:46:33.12Z", 1'780'584'393'120},
      {"2026-06-04T14:46:33.1209999Z", 1'780'584'393'120},
      {"2026-06-04T16:46:33+02:00", 1'780'584'393'000},
      {"2026-06-04T05:16:33-09:30", 1'780'584'393'000},
      {"2024-02-29T00:00:00Z", 1'709'164'800'000},
      {"1969-12-31T23:59:59.999Z", -1},
      {"0000-01-01T00:00:00Z", -62'167'219'200'000},
      {"9999-12-31T23:59:59.999Z", 253'402'300'799'999},
  };
  for (const auto& [text, ms] : kCases) EXPECT_EQ(parse_timestamp_ms(text), ms) << text;
}

TEST(Units, RefusesWhatIsNotATimestamp) {
  for (const char* text : {"",
                           "-1",
                           "+1",
                           "1.5",
                           " 0",
                           "now",
                           "9223372036854775807",
                           "99999999999999999999",
                           "2026-06-04",
                           "2026-06-04T14:46:33",
                           "2026-06-04 14:46:33Z",
                           "2026-06-04T14:46Z",
                           "2026-6-4T14:46:33Z",
                           "2026-02-29T00:00:00Z",
                           "2026-00-01T00:00:00Z",
                           "2026-13-01T00:00:00Z",
                           "2026-06-00T00:00:00Z",
                           "2026-06-31T00:00:00Z",
                           "2026-06-04T24:00:00Z",
                           "2026-06-04T14:60:33Z",
                           "2026-06-04T23:59:60Z",
                           "2026-06-04T14:46:33.Z",
                           "2026-06-04T14:46:33+0200",
                           "2026-06-04T14:46:33+24:00",
                           "2026-06-04T14:46:33+02:60",
                           "2026-06-04T14:46:33Zz",
                           "+2026-06-04T14:46:33Z",
                           "2026-06-04T1+:46:33Z"}) {
    EXPECT_EQ(parse_timestamp_ms(text), std::nullopt) << text;
  }
}

TEST(Units, FormatsTimestamps) {
  constexpr std::pair<std::int64_t, std::string_view> kCases[] = {
      {0, "1970-01-01T00:00:00.000Z"},
      {1'780'584'393'120, "2026-06-04T14:46:33.120Z"},
      {-1, "1969-12-31T23:59:59.999Z"},
      {std::numeric_limits<std::int64_t>::max(), "9999-12-31T23:59:59.999Z"},
      {std::numeric_limits<std::int64_t>::min(), "0000-01-01T00:00:00.000Z"},
  };
  for (const auto& [ms, text] : kCases) EXPECT_EQ(format_timestamp(ms), text);
}

}  // namespace
}  // namespace writecanary
