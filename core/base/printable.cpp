#include "core/base/printable.h"

namespace writecanary {

std::string printable(std::string_view text) {
  std::string result(text);
  for (char& byte : result) {
    if (byte == '\n' || byte == '\t' || byte == '\r') byte = ' ';
    if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F) byte = '?';
  }
  // The C1 controls of UTF-8 (U+0080 to U+009F) begin escape sequences too.
  for (std::size_t at = 0; at + 1 < result.size(); ++at) {
    if (result[at] == '\xC2' && static_cast<unsigned char>(result[at + 1]) < 0xA0) result.replace(at, 2, "?");
  }
  return result;
}

}  // namespace writecanary
