#include "api/documents/cursor.h"

#include <charconv>

#include "core/base/base64.h"

namespace writecanary::api {

std::string encode_cursor(std::string_view listing, std::int64_t before_id) {
  return to_base64(std::string(listing) + ":" + std::to_string(before_id), Base64::kUrl);
}

std::optional<std::int64_t> decode_cursor(std::string_view listing, std::string_view cursor) {
  const auto bytes = from_base64(cursor, Base64::kUrl);
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
