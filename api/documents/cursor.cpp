#include "api/documents/cursor.h"

#include <charconv>

namespace writecanary::api {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// RFC 4648 section 5, without padding.
std::string base64url(std::string_view bytes) {
  std::string text;
  unsigned bits = 0;
  int pending = 0;
  for (const char byte : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(byte);
    for (pending += 8; pending >= 6; pending -= 6) text += kAlphabet[(bits >> (pending - 6)) & 63];
  }
  if (pending > 0) text += kAlphabet[(bits << (6 - pending)) & 63];
  return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string bytes;
  unsigned bits = 0;
  int pending = 0;
  for (const char letter : text) {
    const auto value = kAlphabet.find(letter);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6) | static_cast<unsigned>(value);
    pending += 6;
    if (pending >= 8) {
      pending -= 8;
      bytes += static_cast<char>((bits >> pending) & 255);
    }
  }
  return bytes;
}

}  // namespace

std::string encode_cursor(std::string_view listing, std::int64_t before_id) {
  return base64url(std::string(listing) + ":" + std::to_string(before_id));
}

std::optional<std::int64_t> decode_cursor(std::string_view listing, std::string_view cursor) {
  const auto bytes = from_base64url(cursor);
  if (!bytes || !bytes->starts_with(std::string(listing) + ":")) return std::nullopt;
  const std::string_view digits = std::string_view(*bytes).substr(listing.size() + 1);
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), id);
  const bool whole = error == std::errc{} && end == digits.data() + digits.size();
  // Only the one spelling that encode_cursor gives.
  if (!whole || id <= 0 || encode_cursor(listing, id) != cursor) return std::nullopt;
  return id;
}

}  // namespace writecanary::api
