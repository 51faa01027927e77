// Bytes as hex digits.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace writecanary {

std::string to_hex(std::span<const std::byte> bytes);  // lower case, two digits a byte

}  // namespace writecanary
