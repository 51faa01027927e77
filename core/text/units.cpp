#include "core/text/units.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace writecanary {
namespace {

using std::chrono::milliseconds;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes digits off the front of the text; nothing when there are none or too many.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

struct SizeUnit {
  std::string_view name;
  std::uint64_t bytes;
};

constexpr std::array<SizeUnit, 10> kSizeUnits = {{{"", 1},
                                                  {"B", 1},
                                                  {"KB", 1000},
                                                  {"MB", 1000ULL * 1000},
                                                  {"GB", 1000ULL * 1000 * 1000},
                                                  {"TB", 1000ULL * 1000 * 1000 * 1000},
                                                  {"KiB", 1ULL << 10},
                                                  {"MiB", 1ULL << 20},
                                                  {"GiB", 1ULL << 30},
                                                  {"TiB", 1ULL << 40}}};

struct DurationUnit {
  std::string_view name;
  std::int64_t ms;
};

// The longest first: a duration names its units in this order, each at most once.
constexpr std::array<DurationUnit, 5> kDurationUnits = {
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};

// "2 h 5 min"; without the smaller unit when there is none of it.
std::string two_units(std::uint64_t value, std::uint64_t per_larger, std::string_view larger,
                      std::string_view smaller) {
  const std::uint64_t rest = value % per_larger;
  if (rest == 0) return fmt::format("{} {}", value / per_larger, larger);
  return fmt::format("{} {} {} {}", value / per_larger, larger, rest, smaller);
}

// "9.8", and "10" instead of "10.0".
std::string tenths_text(std::uint64_t tenths) {
  if (tenths % 10 == 0) return std::to_string(tenths / 10);
  return fmt::format("{}.{}", tenths / 10, tenths % 10);
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto number = take_number(text);
  if (!number) return std::nullopt;
  for (const auto& [name, bytes] : kSizeUnits) {
    std::uint64_t size = 0;
    if (text == name && !__builtin_mul_overflow(*number, bytes, &size)) return size;
  }
  return std::nullopt;
}

std::optional<milliseconds> parse_duration(std::string_view text) {
  std::int64_t total_ms = 0;
  const DurationUnit* next = kDurationUnits.begin();
  do {
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    std::size_t letters = 0;
    while (letters < text.size() && !is_digit(text[letters])) ++letters;
    while (next != kDurationUnits.end() && next->name != text.substr(0, letters)) ++next;
    if (next == kDurationUnits.end()) return std::nullopt;
    std::int64_t part_ms = 0;
    if (__builtin_mul_overflow(*number, next->ms, &part_ms)) return std::nullopt;
    if (__builtin_add_overflow(total_ms, part_ms, &total_ms)) return std::nullopt;
    text.remove_prefix(letters);
    ++next;
  } while (!text.empty());
  return milliseconds{total_ms};
}

std::optional<double> parse_percent(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  text.remove_suffix(1);
  // from_chars alone would take a sign, "inf", "1." and ".5".
  if (text.empty() || !is_digit(text.front()) || !is_digit(text.back())) return std::nullopt;
  if (text.find_first_not_of("0123456789.") != std::string_view::npos) return std::nullopt;
  double percent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size() || percent > 100) return std::nullopt;
  return percent;
}

std::string format_size(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  constexpr std::array<std::string_view, 6> kNames = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  // 1023.96 KiB would be rounded to "1024 KiB", so the next unit begins a little earlier.
  while (std::llround(value * 10) >= 10240 && unit + 1 < kNames.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{} {}", tenths_text(static_cast<std::uint64_t>(std::llround(value * 10))), kNames[unit]);
}

std::string format_duration(milliseconds value) {
  const bool negative = value.count() < 0;
  const auto count = static_cast<std::uint64_t>(value.count());
  const std::uint64_t ms = negative ? 0 - count : count;
  const auto rounded = [ms](std::uint64_t unit_ms) { return (ms + unit_ms / 2) / unit_ms; };
  std::string text;
  if (ms < 1000) {
    text = fmt::format("{} ms", ms);
  } else if (rounded(100) < 600) {
    text = tenths_text(rounded(100)) + " s";
  } else if (rounded(1000) < 3600) {
    text = two_units(rounded(1000), 60, "min", "s");
  } else if (rounded(60'000) < 24ULL * 60) {
    text = two_units(rounded(60'000), 60, "h", "min");
  } else {
    text = two_units(rounded(3'600'000), 24, "d", "h");
  }
  return negative ? "-" + text : text;
}

}  // namespace writecanary
