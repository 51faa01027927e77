#include "core/text/printable.h"

#include <algorithm>

#include "core/base/system_text.h"

namespace writecanary {

std::string printable(std::string_view text) {
  std::string line(text);
  std::ranges::replace_if(
      line, [](char byte) { return byte == '\n' || byte == '\t' || byte == '\r'; }, ' ');
  return system_text(line);
}

}  // namespace writecanary
