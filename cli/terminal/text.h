// Text for people on a terminal: widths, wrapping, thousands, how long ago. Pure functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/run/verdict.h"
#include "core/text/printable.h"  // goes with what is here wherever text of others is printed

namespace writecanary::cli {

enum class Style : std::uint8_t { kPlain, kBold, kDim, kGood, kWarn, kBad };

// The text between escape sequences for the style; unchanged without colour.
std::string styled(std::string_view text, Style style, bool colour);
Style style_of(Verdict verdict);

// Columns that UTF-8 text takes, one per code point.
std::size_t display_width(std::string_view text);
// At most `width` columns, the end replaced by "..." when it is longer.
std::string shorten(std::string_view text, std::size_t width);
// Lines of at most `width` columns, broken at blanks; longer words stand alone. Width 0: one line.
std::vector<std::string> wrap(std::string_view text, std::size_t width);

std::string format_count(std::uint64_t value);                    // "1,234,567"
std::string plural(std::uint64_t count, std::string_view noun);   // "1 finding", "1,234 findings"
std::string format_seconds(double seconds);                       // "1.2 s"
std::string relative_time(std::int64_t unix_ms, SystemTime now);  // "3 min ago", "in 12 min", "now"

}  // namespace writecanary::cli
