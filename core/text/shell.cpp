#include "core/text/shell.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>

#include "core/base/system_text.h"

namespace writecanary {

namespace {

// Three octal digits end by themselves; two hexadecimal ones need not, if a digit follows.
std::string with_escapes(std::string_view text) {
  std::string word = "$'";
  for (const char c : text) {
    if (c < ' ' || c > '~') {
      fmt::format_to(std::back_inserter(word), "\\{:03o}", static_cast<unsigned char>(c));
    } else {
      if (c == '\'' || c == '\\') word += '\\';
      word += c;
    }
  }
  return word + "'";
}

}  // namespace

std::string shell_word(std::string_view text) {
  const bool plain = !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("/._-+:=@%").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain) return std::string(text);
  if (system_text(text) != text) return with_escapes(text);
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace writecanary
