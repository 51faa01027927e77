#include "core/report/reproducer/operations.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <system_error>

namespace writecanary {
namespace {

// What follows the name of an operation.
enum class Places : std::uint8_t { kNone, kLength, kOffset, kRange, kRangeToTarget };

struct OperationName {
  std::string_view text, constant;
  Places places;
};
// Longer names before those that they begin with.
constexpr OperationName kNames[] = {
    {"write to the clone ", "WRITE_TO_CLONE", Places::kRange},
    {"write during write-back ", "REWRITE", Places::kRange},
    {"write ", "WRITE", Places::kRange},
    {"append ", "APPEND", Places::kLength},
    {"read ", "READ", Places::kRange},
    {"stopped write ", "STOPPED_WRITE", Places::kRange},
    {"interrupted allocation", "INTERRUPTED_ALLOCATION", Places::kNone},
    {"mapped rewrite ", "MAPPED_REWRITE", Places::kRange},
    {"truncate to ", "TRUNCATE", Places::kOffset},
    {"allocate ", "ALLOCATE", Places::kRange},
    {"punch ", "PUNCH", Places::kRange},
    {"zero range ", "ZERO_RANGE", Places::kRange},
    {"fsync", "FSYNC", Places::kNone},
    {"evict", "EVICT", Places::kNone},
    {"copy ", "COPY", Places::kRangeToTarget},
    {"mapped write ", "MAPPED_WRITE", Places::kRange},
    {"mapped read ", "MAPPED_READ", Places::kRange},
    {"direct write ", "DIRECT_WRITE", Places::kRange},
    {"direct writes at once ", "DIRECT_AT_ONCE", Places::kRange},
    {"direct read ", "DIRECT_READ", Places::kRange},
    {"collapse range ", "COLLAPSE", Places::kRange},
    {"insert range ", "INSERT", Places::kRange},
    {"clone range ", "CLONE_RANGE", Places::kRangeToTarget},
    {"clone", "CLONE", Places::kNone},
    {"deduplicate ", "DEDUPLICATE", Places::kRange},
    {"unshare ", "UNSHARE", Places::kRange},
    {"store behind the end and fsync", "STORE_BEHIND_END_FSYNC", Places::kNone},
    {"store behind the end", "STORE_BEHIND_END", Places::kNone},
};

bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

bool take_number(std::string_view& text, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

}  // namespace

std::optional<std::string> operation_row(std::string_view text) {
  for (const OperationName& name : kNames) {
    std::string_view rest = text;
    if (!take(rest, name.text)) continue;
    std::uint64_t offset = 0, length = 0, target = 0;
    const bool has_offset = name.places != Places::kNone && name.places != Places::kLength;
    if (has_offset && !take_number(rest, offset)) return std::nullopt;
    const bool has_range = name.places == Places::kRange || name.places == Places::kRangeToTarget;
    if (has_range && !take(rest, "+")) return std::nullopt;
    if ((has_range || name.places == Places::kLength) && !take_number(rest, length)) return std::nullopt;
    if (name.places == Places::kRangeToTarget && (!take(rest, " to ") || !take_number(rest, target))) {
      return std::nullopt;
    }
    const bool by_ring = take(rest, " (io_uring)");
    if (!rest.empty()) return std::nullopt;
    return fmt::format("{{ {}, {}, {}, {}, {} }}", name.constant, offset, length, target, by_ring ? 1 : 0);
  }
  return std::nullopt;
}

}  // namespace writecanary
