#include "core/text/base64.h"

namespace writecanary {
namespace {

constexpr std::string_view kPaddedAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string_view alphabet_of(Base64 form) { return form == Base64::kUrl ? kUrlAlphabet : kPaddedAlphabet; }

}  // namespace

std::string to_base64(std::string_view bytes, Base64 form) {
  const std::string_view alphabet = alphabet_of(form);
  std::string text;
  unsigned bits = 0;
  int pending = 0;
  for (const char byte : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(byte);
    for (pending += 8; pending >= 6; pending -= 6) text += alphabet[(bits >> (pending - 6)) & 63];
  }
  if (pending > 0) text += alphabet[(bits << (6 - pending)) & 63];
  if (form == Base64::kPadded) text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

std::optional<std::string> from_base64(std::string_view text, Base64 form) {
  if (form == Base64::kPadded) {
    if (text.size() % 4 != 0) return std::nullopt;
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  }
  if (text.size() % 4 == 1) return std::nullopt;
  const std::string_view alphabet = alphabet_of(form);
  std::string bytes;
  unsigned bits = 0;
  int pending = 0;
  for (const char letter : text) {
    const auto value = alphabet.find(letter);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6) | static_cast<unsigned>(value);
    pending += 6;
    if (pending < 8) continue;
    pending -= 8;
    bytes += static_cast<char>((bits >> pending) & 255);
  }
  return bytes;
}

}  // namespace writecanary
