#include "daemon/calendar/window.h"

#include <fmt/format.h>

#include <sstream>
#include <string>
#include <vector>

#include "core/text/letters.h"

namespace writecanary::daemon {
namespace {

constexpr int kMinutesPerDay = 24 * 60;
constexpr int kMinutesPerWeek = 7 * kMinutesPerDay;
constexpr std::array<std::string_view, 7> kDayNames = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

std::optional<int> parse_day(std::string_view text) {
  for (std::size_t i = 0; i < kDayNames.size(); ++i) {
    if (text == kDayNames[i]) return static_cast<int>(i);
  }
  return std::nullopt;
}

// "Mon-Fri,Sun"
bool parse_days(std::string_view text, std::array<bool, 7>& days) {
  while (true) {
    const auto comma = text.find(',');
    const auto part = text.substr(0, comma);
    const auto dash = part.find('-');
    const auto first = parse_day(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_day(part.substr(dash + 1));
    if (!first || !last) return false;
    for (int day = *first;; day = (day + 1) % 7) {
      days[static_cast<std::size_t>(day)] = true;
      if (day == *last) break;
    }
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
  }
}

// "20:00"; "24:00" is the end of the day.
std::optional<int> parse_minute(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const auto i : {0U, 1U, 3U, 4U}) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
  }
  const int hours = (text[0] - '0') * 10 + (text[1] - '0');
  const int minutes = (text[3] - '0') * 10 + (text[4] - '0');
  if (minutes > 59 || hours * 60 + minutes > kMinutesPerDay) return std::nullopt;
  return hours * 60 + minutes;
}

std::int64_t floor_div(std::int64_t value, std::int64_t by) {
  return value / by - (value % by != 0 && (value < 0) != (by < 0) ? 1 : 0);
}

std::int64_t floor_mod(std::int64_t value, std::int64_t by) { return value - floor_div(value, by) * by; }

std::int64_t unix_minutes_of(SystemTime time) { return floor_div(to_unix_ms(time), 60'000); }

// A name such as Europe/London. The library would take paths too.
bool is_zone_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && name.front() != '/' && is_of_letters(name, "/_-+");
}

}  // namespace

Window::Parsed Window::parse(std::string_view text) {
  const auto refuse = [&](const std::string& what) {
    return Parsed{std::nullopt,
                  fmt::format("window \"{}\": {}. Write it like \"Mon-Fri 20:00-06:00 Europe/London\"", text, what)};
  };
  std::istringstream words{std::string{text}};
  std::vector<std::string> parts;
  for (std::string word; words >> word;) parts.push_back(word);

  Window window;
  std::size_t next = 0;
  if (next < parts.size() && !(parts[next][0] >= '0' && parts[next][0] <= '9')) {
    if (!parse_days(parts[next], window.days_)) return refuse(fmt::format("\"{}\" is not a list of days", parts[next]));
    ++next;
  } else {
    window.days_.fill(true);
  }
  if (next == parts.size()) return refuse("the times are missing");
  const auto dash = parts[next].find('-');
  const auto begin = parse_minute(parts[next].substr(0, dash));
  const auto end = dash == std::string::npos ? std::nullopt : parse_minute(parts[next].substr(dash + 1));
  if (!begin || !end || *begin == kMinutesPerDay)
    return refuse(fmt::format("\"{}\" is not a span of times", parts[next]));
  if (*begin == *end) return refuse("it begins when it ends; for whole days write 00:00-24:00");
  window.begin_minute_ = *begin;
  window.end_minute_ = *end;
  if (++next < parts.size()) {
    if (!is_zone_name(parts[next]) || !absl::LoadTimeZone(parts[next], &window.zone_)) {
      return refuse(fmt::format("no time zone \"{}\" in /usr/share/zoneinfo", parts[next]));
    }
    ++next;
  }
  if (next < parts.size()) return refuse(fmt::format("\"{}\" is one word too many", parts[next]));
  return {window, ""};
}

int Window::offset_at(std::int64_t unix_minutes) const {
  return zone_.At(absl::FromUnixSeconds(unix_minutes * 60)).offset;
}

bool Window::contains_minute(std::int64_t unix_minutes) const {
  const auto local_seconds = unix_minutes * 60 + offset_at(unix_minutes);
  const auto local_minutes = floor_div(local_seconds, 60);
  const auto day = floor_div(local_minutes, kMinutesPerDay);
  const auto minute = floor_mod(local_minutes, kMinutesPerDay);
  // 1 January 1970 was a Thursday.
  const auto weekday = static_cast<std::size_t>(floor_mod(day + 4, 7));
  if (begin_minute_ < end_minute_) return days_[weekday] && minute >= begin_minute_ && minute < end_minute_;
  return (days_[weekday] && minute >= begin_minute_) || (days_[(weekday + 6) % 7] && minute < end_minute_);
}

bool Window::contains(SystemTime time) const { return contains_minute(unix_minutes_of(time)); }

bool Window::may_open_within_hour(std::int64_t unix_minutes) const {
  const auto offset = offset_at(unix_minutes);
  if (offset != offset_at(unix_minutes + 60)) return true;
  const auto local_minutes = unix_minutes + floor_div(offset, 60);
  const auto until_begin = floor_mod(begin_minute_ - local_minutes, kMinutesPerDay);
  return until_begin <= 60;
}

SystemTime Window::next_opening(SystemTime time) const {
  const auto from = unix_minutes_of(time);
  if (contains_minute(from)) return time;
  // Minute by minute is exact across every change of the clocks; hours in which nothing can happen are stepped over.
  // One day more than a week, because an opening that falls into a skipped hour comes round again only a week later.
  for (auto minute = from; minute <= from + kMinutesPerWeek + kMinutesPerDay;) {
    minute += may_open_within_hour(minute) ? 1 : 60;
    if (contains_minute(minute)) return from_unix_ms(minute * 60'000);
  }
  // A one-day window shorter than the skipped hour, in that week.
  return time + std::chrono::hours{7 * 24};
}

}  // namespace writecanary::daemon
