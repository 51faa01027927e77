#include "daemon/calendar/posix_tz.h"

#include <chrono>
#include <string>

namespace writecanary::daemon {
namespace {

// Reads from the front of a text; every take_* is false, with nothing usable read, when the text does not continue so.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool take_name() {
    if (take('<')) {
      const auto end = rest_.find('>');
      if (end == std::string_view::npos) return false;
      rest_.remove_prefix(end + 1);
      return true;
    }
    std::size_t length = 0;
    while (length < rest_.size() && ((rest_[length] | 0x20) >= 'a' && (rest_[length] | 0x20) <= 'z')) ++length;
    rest_.remove_prefix(length);
    return length >= 3;
  }

  bool take_number(int& out, int maximum) {
    std::size_t length = 0;
    out = 0;
    while (length < rest_.size() && length < 4 && rest_[length] >= '0' && rest_[length] <= '9') {
      out = out * 10 + (rest_[length++] - '0');
    }
    rest_.remove_prefix(length);
    return length > 0 && out <= maximum;
  }

  // [+-]hh[:mm[:ss]]
  bool take_time(int& seconds) {
    const int sign = take('-') ? -1 : 1;
    if (sign > 0) take('+');
    int hours = 0;
    int minutes = 0;
    int rest = 0;
    if (!take_number(hours, 167)) return false;
    if (take(':') && !take_number(minutes, 59)) return false;
    if (take(':') && !take_number(rest, 59)) return false;
    seconds = sign * (hours * 3600 + minutes * 60 + rest);
    return true;
  }

  bool take_date(DateRule& rule) {
    if (!take(',')) return false;
    if (take('M')) {
      rule.form = DateRule::Form::kMonthWeekDay;
      if (!take_number(rule.month, 12) || rule.month < 1 || !take('.')) return false;
      if (!take_number(rule.week, 5) || rule.week < 1 || !take('.')) return false;
      if (!take_number(rule.weekday, 6)) return false;
    } else if (take('J')) {
      rule.form = DateRule::Form::kJulian;
      if (!take_number(rule.day, 365) || rule.day < 1) return false;
    } else {
      rule.form = DateRule::Form::kDayOfYear;
      if (!take_number(rule.day, 365)) return false;
    }
    return !take('/') || take_time(rule.seconds);
  }

 private:
  std::string_view rest_;
};

std::int64_t seconds_of(std::chrono::sys_days day) {
  return std::chrono::duration_cast<std::chrono::seconds>(day.time_since_epoch()).count();
}

// The rule's moment in that year, as if local time were UTC.
std::int64_t local_moment(const DateRule& rule, std::chrono::year year) {
  using std::chrono::sys_days;
  sys_days day;
  if (rule.form == DateRule::Form::kMonthWeekDay) {
    const auto month = year / std::chrono::month{static_cast<unsigned>(rule.month)};
    const std::chrono::weekday weekday{static_cast<unsigned>(rule.weekday)};
    day = rule.week == 5 ? sys_days{month / weekday[std::chrono::last]}
                         : sys_days{month / weekday[static_cast<unsigned>(rule.week)]};
  } else {
    day = sys_days{year / std::chrono::January / 1} + std::chrono::days{rule.day};
    if (rule.form == DateRule::Form::kJulian && !(year.is_leap() && rule.day >= 60)) day -= std::chrono::days{1};
  }
  return seconds_of(day) + rule.seconds;
}

}  // namespace

std::optional<PosixTz> PosixTz::parse(std::string_view text) {
  PosixTz tz;
  Cursor cursor(text);
  int west = 0;
  if (!cursor.take_name() || !cursor.take_time(west)) return std::nullopt;
  tz.standard_offset = -west;
  if (cursor.done()) return tz;
  tz.has_summer_time = true;
  tz.summer_offset = tz.standard_offset + 3600;
  if (!cursor.take_name()) return std::nullopt;
  DateRule begins;
  if (!cursor.take_date(begins)) {
    if (!cursor.take_time(west) || !cursor.take_date(begins)) return std::nullopt;
    tz.summer_offset = -west;
  }
  tz.begins = begins;
  if (!cursor.take_date(tz.ends) || !cursor.done()) return std::nullopt;
  return tz;
}

int PosixTz::offset_at(std::int64_t unix_seconds) const {
  if (!has_summer_time) return standard_offset;
  const auto day = std::chrono::floor<std::chrono::days>(
      std::chrono::sys_seconds{std::chrono::seconds{unix_seconds + standard_offset}});
  const auto year = std::chrono::year_month_day{day}.year();
  // Each moment is given in the local time that ends with it.
  const auto begin = local_moment(begins, year) - standard_offset;
  const auto end = local_moment(ends, year) - summer_offset;
  // South of the equator summer time spans the turn of the year.
  const bool summer =
      begin < end ? unix_seconds >= begin && unix_seconds < end : unix_seconds >= begin || unix_seconds < end;
  return summer ? summer_offset : standard_offset;
}

}  // namespace writecanary::daemon
