// The place where a listing goes on. Opaque to clients, so that what it holds can change.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace writecanary::api {

// `listing` ("runs", "findings") keeps the cursor of one listing from being used on another.
std::string encode_cursor(std::string_view listing, std::int64_t before_id);
// Nothing unless encode_cursor made it for this listing.
std::optional<std::int64_t> decode_cursor(std::string_view listing, std::string_view cursor);

// The same for a listing whose items have a name and no number: it goes on after the name.
std::string encode_place(std::string_view listing, std::string_view after);
std::optional<std::string> decode_place(std::string_view listing, std::string_view cursor);

}  // namespace writecanary::api
