// The part of core/text/units.h about points in time.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include "core/text/units.h"

namespace writecanary {
namespace {

using std::chrono::days;
using std::chrono::milliseconds;
using std::chrono::sys_days;

constexpr std::int64_t kMsPerDay = 86'400'000;

// A cursor over the text that takes fixed parts off its front; a part that does not fit spoils it for good.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  // Exactly `width` digits with a value of at most `maximum`.
  unsigned number(std::size_t width, unsigned maximum) {
    unsigned value = 0;
    const std::string_view digits = text_.substr(0, width);
    const bool fits = digits.size() == width && std::ranges::all_of(digits, is_digit);
    if (fits) std::from_chars(digits.data(), digits.data() + width, value);
    if (!fits || value > maximum) return spoil();
    text_.remove_prefix(width);
    return value;
  }
  // One of the given characters, returned; 0 when it is another.
  char one_of(std::string_view choice) {
    if (text_.empty() || choice.find(text_.front()) == std::string_view::npos) {
      spoil();
      return 0;
    }
    const char taken = text_.front();
    text_.remove_prefix(1);
    return taken;
  }
  // The digits after a decimal point as milliseconds, cut and not rounded; 0 when there is no point.
  unsigned fraction_ms() {
    if (!text_.starts_with('.')) return 0;
    text_.remove_prefix(1);
    unsigned ms = 0;
    std::size_t digits = 0;
    for (; digits < text_.size() && is_digit(text_[digits]); ++digits) {
      constexpr unsigned kWeights[] = {100, 10, 1};
      if (digits < std::size(kWeights)) ms += static_cast<unsigned>(text_[digits] - '0') * kWeights[digits];
    }
    text_.remove_prefix(digits);
    return digits == 0 ? spoil() : ms;
  }
  bool finished() const { return good_ && text_.empty(); }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  unsigned spoil() {
    good_ = false;
    return 0;
  }

  std::string_view text_;
  bool good_ = true;
};

std::optional<std::int64_t> parse_unix_seconds(std::string_view text) {
  std::int64_t seconds = 0;
  std::int64_t ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (__builtin_mul_overflow(seconds, std::int64_t{1000}, &ms)) return std::nullopt;
  return ms;
}

}  // namespace

std::optional<std::int64_t> parse_timestamp_ms(std::string_view text) {
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos) return parse_unix_seconds(text);
  Scanner scan(text);
  const unsigned year = scan.number(4, 9999);
  scan.one_of("-");
  const unsigned month = scan.number(2, 12);
  scan.one_of("-");
  const unsigned day = scan.number(2, 31);
  scan.one_of("Tt");
  const unsigned hour = scan.number(2, 23);
  scan.one_of(":");
  const unsigned minute = scan.number(2, 59);
  scan.one_of(":");
  const unsigned second = scan.number(2, 59);  // unix time has no leap seconds
  const unsigned ms = scan.fraction_ms();
  const char zone = scan.one_of("Zz+-");
  std::int64_t offset_minutes = 0;
  if (zone == '+' || zone == '-') {
    offset_minutes = 60L * scan.number(2, 23);
    scan.one_of(":");
    offset_minutes += scan.number(2, 59);
    if (zone == '-') offset_minutes = -offset_minutes;
  }
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!scan.finished() || !date.ok()) return std::nullopt;
  const std::int64_t minutes = 60L * hour + minute - offset_minutes;
  return sys_days(date).time_since_epoch().count() * kMsPerDay + (minutes * 60 + second) * 1000 + ms;
}

std::string format_timestamp(std::int64_t unix_ms) {
  // RFC 3339 has four digits for the year. A time beyond them is damage; the nearest one that can be written shows it.
  constexpr std::int64_t kFirst = sys_days(std::chrono::year(0) / 1 / 1).time_since_epoch().count() * kMsPerDay;
  constexpr std::int64_t kEnd = sys_days(std::chrono::year(10000) / 1 / 1).time_since_epoch().count() * kMsPerDay;
  const std::chrono::sys_time<milliseconds> time{milliseconds(std::clamp(unix_ms, kFirst, kEnd - 1))};
  const sys_days day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

}  // namespace writecanary
