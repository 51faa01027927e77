// How much of a mapping is made of huge pages, as /proc/self/smaps tells.
#pragma once

#include <cstdint>
#include <istream>
#include <string>

namespace writecanary::probe {

// Pure. Bytes of file or shared memory that the mapping whose line begins so ("7f0000200000-") maps as huge pages; 0
// where the kernel does not tell.
std::uint64_t huge_bytes_of(std::istream& smaps, const std::string& beginning);

}  // namespace writecanary::probe
