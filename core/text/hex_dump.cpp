#include "core/text/hex_dump.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace writecanary {
namespace {

constexpr std::size_t kBytesPerLine = 8;

// The digits of byte `index`, or "--" past the end.
std::string_view byte_at(const std::string& hex, std::size_t index) {
  return 2 * index + 2 <= hex.size() ? std::string_view(hex).substr(2 * index, 2) : "--";
}

std::string row(const std::string& hex, std::size_t first, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += fmt::format("{}{}", i > 0 ? " " : "", byte_at(hex, first + i));
  return text;
}

}  // namespace

std::string side_by_side(std::uint64_t offset_bytes, const std::string& expected_hex, const std::string& found_hex) {
  const std::size_t bytes = std::max(expected_hex.size(), found_hex.size()) / 2;
  if (bytes == 0) return {};
  std::string text = fmt::format("  {:<12}  {:<23}  found\n", "offset", "expected");
  for (std::size_t first = 0; first < bytes; first += kBytesPerLine) {
    const std::size_t count = std::min(kBytesPerLine, bytes - first);
    const std::string expected = row(expected_hex, first, count);
    const std::string found = row(found_hex, first, count);
    text += fmt::format("  {:#012x}  {:<23}  {:<23}", offset_bytes + first, expected, found);
    while (text.ends_with(' ')) text.pop_back();
    text += expected == found ? "\n" : "  <\n";
  }
  return text;
}

}  // namespace writecanary
