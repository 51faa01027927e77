#include "core/base/system_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>

namespace writecanary {
namespace {

constexpr std::size_t kEscapeBytes = 4;  // \xNN

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t bytes = 0;  // 0: it is none
};

// The first one of the text, by the table of well-formed sequences of the Unicode Standard (3.9): no overlong forms, no
// surrogates, nothing beyond U+10FFFF.
CodePoint first_code_point(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {};
  std::uint32_t value = lead & (0x7FU >> bytes);
  for (std::size_t at = 1; at < bytes; ++at) {
    if ((byte(at) & 0xC0U) != 0x80U) return {};
    value = value << 6 | (byte(at) & 0x3FU);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kLeast[bytes] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {};
  return {value, bytes};
}

// C0, DEL, and the C1 controls, which begin escape sequences too.
bool is_control(std::uint32_t code_point) { return code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0); }

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

// The byte that an escape at the beginning of the text stands for.
std::optional<char> escaped_byte(std::string_view text) {
  if (text.size() < kEscapeBytes || text[0] != '\\' || text[1] != 'x') return std::nullopt;
  const auto high = hex_digit(text[2]);
  const auto low = hex_digit(text[3]);
  if (!high || !low) return std::nullopt;
  return static_cast<char>(*high << 4 | *low);
}

void escape(std::string& out, std::string_view bytes) {
  for (const char byte : bytes) fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(byte));
}

enum class Spared { kNothing, kEscapes, kControls };

std::string escaped(std::string_view bytes, Spared spared) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const CodePoint next = first_code_point(bytes);
    const std::string_view piece = bytes.substr(0, std::max<std::size_t>(next.bytes, 1));
    const bool ambiguous = spared == Spared::kNothing && escaped_byte(bytes).has_value();
    if (next.bytes == 0 || ambiguous || (spared != Spared::kControls && is_control(next.value))) {
      escape(out, piece);
    } else {
      out += piece;
    }
    bytes.remove_prefix(piece.size());
  }
  return out;
}

}  // namespace

std::string system_name(std::string_view bytes) { return escaped(bytes, Spared::kNothing); }

std::string system_text(std::string_view bytes) { return escaped(bytes, Spared::kEscapes); }

std::string valid_utf8(std::string_view bytes) { return escaped(bytes, Spared::kControls); }

std::string system_bytes(std::string_view name) {
  std::string out;
  out.reserve(name.size());
  while (!name.empty()) {
    const auto byte = escaped_byte(name);
    out += byte.value_or(name.front());
    name.remove_prefix(byte ? kEscapeBytes : 1);
  }
  return out;
}

}  // namespace writecanary
