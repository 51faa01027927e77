// The rule at the end of a zone file, for instants after its last listed transition: "GMT0BST,M3.5.0/1,M10.5.0"
// (POSIX TZ as RFC 8536 section 3.3 extends it: hours from -167 to 167).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace writecanary::daemon {

// The day and time of day at which summer time begins or ends.
struct DateRule {
  enum class Form { kMonthWeekDay, kJulian, kDayOfYear };
  Form form = Form::kMonthWeekDay;
  int month = 0, week = 0, weekday = 0;  // kMonthWeekDay; week 5 is the last
  int day = 0;                           // kJulian: 1 to 365, never 29 February; kDayOfYear: 0 to 365
  int seconds = 2 * 3600;                // local time of that day, may lie outside of it
};

struct PosixTz {
  int standard_offset = 0;
  bool has_summer_time = false;
  int summer_offset = 0;
  DateRule begins, ends;

  // Nothing when the text is not such a rule.
  static std::optional<PosixTz> parse(std::string_view text);
  int offset_at(std::int64_t unix_seconds) const;
};

}  // namespace writecanary::daemon
