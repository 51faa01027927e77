// Base64 in its two usual forms (RFC 4648).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace writecanary {

enum class Base64 {
  kPadded,  // section 4: + and /, filled up with =
  kUrl,     // section 5: - and _, not filled up
};

std::string to_base64(std::string_view bytes, Base64 form);
// Nothing when it is no text of that form. Bits beyond the last byte are not looked at.
std::optional<std::string> from_base64(std::string_view text, Base64 form);

}  // namespace writecanary
