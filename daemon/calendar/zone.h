// A time zone read from the system's compiled zone files (TZif, RFC 8536).
//
// The C library keeps one zone per process and asks the environment for it; a schedule needs several at once and no
// hidden state. Only the offset from UTC at an instant is read here, abbreviations and leap seconds are not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/calendar/posix_tz.h"

namespace writecanary::daemon {

class Zone {
 public:
  static Zone utc() { return {}; }
  // Nothing when there is no such zone or its file cannot be read.
  static std::optional<Zone> load(const std::string& name, const std::string& directory = "/usr/share/zoneinfo");
  // The content of a zone file, version 2 or later.
  static std::optional<Zone> parse(std::string_view bytes);

  // Seconds to add to UTC to get local time at that instant.
  int offset_at(std::int64_t unix_seconds) const;

 private:
  struct Transition {
    std::int64_t at = 0;
    int offset = 0;  // from then on
  };
  std::vector<Transition> transitions_;  // by time
  int first_offset_ = 0;                 // before the first transition
  std::optional<PosixTz> rule_;          // after the last one
};

}  // namespace writecanary::daemon
