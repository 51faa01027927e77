#include "api/documents/cursor.h"

#include <charconv>

#include "core/text/base64.h"

namespace writecanary::api {

std::string encode_place(std::string_view listing, std::string_view after) {
  return to_base64(std::string(listing) + ":" + std::string(after), Base64::kUrl);
}

std::optional<std::string> decode_place(std::string_view listing, std::string_view cursor) {
  const auto bytes = from_base64(cursor, Base64::kUrl);
  if (!bytes || !bytes->starts_with(std::string(listing) + ":")) return std::nullopt;
  std::string after = bytes->substr(listing.size() + 1);
  // Only the one spelling that encode_place gives.
  if (encode_place(listing, after) != cursor) return std::nullopt;
  return after;
}

std::string encode_cursor(std::string_view listing, std::int64_t before_id) {
  return encode_place(listing, std::to_string(before_id));
}

std::optional<std::int64_t> decode_cursor(std::string_view listing, std::string_view cursor) {
  const auto digits = decode_place(listing, cursor);
  if (!digits) return std::nullopt;
  std::int64_t id = 0;
  const char* const end = digits->data() + digits->size();
  const auto [stop, error] = std::from_chars(digits->data(), end, id);
  if (error != std::errc{} || stop != end || id <= 0 || std::to_string(id) != *digits) return std::nullopt;
  return id;
}

}  // namespace writecanary::api
