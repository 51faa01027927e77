// FNV-1a in 64 bits: the same on every build and machine, unlike std::hash. Nothing may depend on it being hard to
// forge.
#pragma once

#include <cstdint>
#include <string_view>

namespace writecanary {

constexpr std::uint64_t fnv1a(std::string_view bytes) {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x0000'0100'0000'01b3;
  return hash;
}

}  // namespace writecanary
