// Two stretches of bytes of the same place in a file, side by side.
#pragma once

#include <cstdint>
#include <string>

namespace writecanary {

// Both as hex digits that begin at `offset_bytes` of the file. Eight bytes a line; a line that differs ends in "<".
// Bytes that only one side has stand beside "--". Empty when both are.
std::string side_by_side(std::uint64_t offset_bytes, const std::string& expected_hex, const std::string& found_hex);

}  // namespace writecanary
