// The end of a file as reads have it, which is not always where fstat(2) says.
//
// A reader that does not know the size asks for more than there is. What comes back for the part behind the end was
// never written, so that a file of which everything below its size is right can still be read wrong.
#pragma once

#include <cstdint>
#include <string>

#include "core/run/finding.h"

namespace writecanary::probe {

// Reads across the end and behind it, once each. Returns how many bytes behind `size_bytes` came back: 0 if all is
// right. Nobody may write meanwhile. Throws SystemError when reading fails; `name` is for its text.
std::uint64_t read_behind_end(int fd, const std::string& name, std::uint64_t size_bytes);

// The finding that this is.
Finding behind_end(const std::string& file, std::uint64_t end_bytes, std::uint64_t returned_bytes);

}  // namespace writecanary::probe
