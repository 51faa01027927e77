// When scheduled runs may start: "Mon-Fri 20:00-06:00 Europe/London".
//
// Days are optional (all of them), the zone too (UTC). A span that ends before it begins reaches into the next day and
// belongs to the day on which it begins. Local times follow the zone's summer time, so an hour that does not exist
// opens nothing and one that occurs twice counts twice. A run that is under way is not cut off at the end.
#pragma once

#include <absl/time/time.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace writecanary::daemon {

class Window {
 public:
  struct Parsed;
  // Loads the zone. The error says what is wrong and what is expected.
  static Parsed parse(std::string_view text);

  bool contains(SystemTime time) const;
  // The first minute from `time` on at which it is open: the time itself when it is open now.
  SystemTime next_opening(SystemTime time) const;

 private:
  int offset_at(std::int64_t unix_minutes) const;  // seconds to add to UTC
  bool contains_minute(std::int64_t unix_minutes) const;
  // False only when it is sure that a closed window stays closed for the next 60 minutes.
  bool may_open_within_hour(std::int64_t unix_minutes) const;

  std::array<bool, 7> days_{};  // from Sunday
  int begin_minute_ = 0;        // of the day
  int end_minute_ = 24 * 60;
  absl::TimeZone zone_ = absl::UTCTimeZone();
};

struct Window::Parsed {
  std::optional<Window> value;
  std::string error;
};

}  // namespace writecanary::daemon
