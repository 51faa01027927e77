// Sizes, durations and times as people write them: "64MiB", "15m", "5%", "2026-06-04T14:46:33Z".
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace writecanary {

// Each parse_* takes the whole text or nothing: no sign, no blanks around, no overflow.
std::optional<std::uint64_t> parse_size(std::string_view text);                  // 4096, 64KiB, 1GiB, 10MB
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);  // 500ms, 10s, 15m, 2h, 90d; 1h30m
std::optional<double> parse_percent(std::string_view text);                      // 5%, 0.5%; 0 to 100
// RFC 3339 with Z or an offset, or unix seconds. Milliseconds since the epoch.
std::optional<std::int64_t> parse_timestamp_ms(std::string_view text);

std::string format_size(std::uint64_t bytes);                  // "64 MiB", "1.5 GiB"
std::string format_duration(std::chrono::milliseconds value);  // "450 ms", "9.8 s", "2 h 5 min"
std::string format_timestamp(std::int64_t unix_ms);            // "2026-06-04T14:46:33.120Z"

}  // namespace writecanary
