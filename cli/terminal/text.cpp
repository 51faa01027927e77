#include "cli/terminal/text.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text/units.h"

namespace writecanary::cli {
namespace {

bool continues_code_point(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

// Bytes of the longest beginning that takes at most `width` columns.
std::size_t prefix_bytes(std::string_view text, std::size_t width) {
  std::size_t bytes = 0;
  for (std::size_t columns = 0; bytes < text.size(); ++bytes) {
    if (continues_code_point(text[bytes])) continue;
    if (columns++ == width) break;
  }
  return bytes;
}

std::string rounded_duration(std::int64_t seconds) {
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 120L * 60) return fmt::format("{} min", seconds / 60);
  if (seconds < 48L * 3600) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} d", seconds / 86400);
}

}  // namespace

std::string styled(std::string_view text, Style style, bool colour) {
  if (!colour || style == Style::kPlain) return std::string(text);
  static constexpr std::string_view kCodes[] = {"0", "1", "2", "32", "33", "31;1"};
  return fmt::format("\x1b[{}m{}\x1b[0m", kCodes[static_cast<std::size_t>(style)], text);
}

Style style_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kClean:
      return Style::kGood;
    case Verdict::kCorrupt:
    case Verdict::kStuck:
      return Style::kBad;
    case Verdict::kViolation:
    case Verdict::kUnexposed:
    case Verdict::kError:
    case Verdict::kInterrupted:
      return Style::kWarn;
    case Verdict::kUnsupported:
    case Verdict::kStopped:
      return Style::kDim;
  }
  return Style::kPlain;
}

std::size_t display_width(std::string_view text) {
  return text.size() - static_cast<std::size_t>(std::count_if(text.begin(), text.end(), continues_code_point));
}

std::string shorten(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  constexpr std::string_view kCut = "...";
  if (width <= kCut.size()) return std::string(kCut.substr(0, width));
  return std::string(text.substr(0, prefix_bytes(text, width - kCut.size()))).append(kCut);
}

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  std::string line;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    if (!line.empty() && width != 0 && display_width(line) + 1 + display_width(word) > width) {
      lines.push_back(std::move(line));
      line.clear();
    }
    if (!line.empty()) line += ' ';
    line += word;
  }
  if (!line.empty()) lines.push_back(std::move(line));
  return lines;
}

std::string format_count(std::uint64_t value) {
  std::string digits = std::to_string(value);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string plural(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", format_count(count), noun, count == 1 ? "" : "s");
}

std::string format_seconds(double seconds) {
  return format_duration(std::chrono::milliseconds{static_cast<std::int64_t>(seconds * 1000)});
}

std::string relative_time(std::int64_t unix_ms, SystemTime now) {
  const std::int64_t away_seconds = (unix_ms - to_unix_ms(now)) / 1000;
  if (away_seconds > -2 && away_seconds < 2) return "now";
  return away_seconds < 0 ? rounded_duration(-away_seconds) + " ago" : "in " + rounded_duration(away_seconds);
}

}  // namespace writecanary::cli
