// What names are made of. Not std::isalnum, which asks the locale.
#pragma once

#include <algorithm>
#include <string_view>

namespace writecanary {

// Whether all of it is letters and digits of ASCII, or one of `others`.
constexpr bool is_of_letters(std::string_view text, std::string_view others) {
  return std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

}  // namespace writecanary
