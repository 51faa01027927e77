// What direct I/O on a file must be aligned to.
#pragma once

#include <cstdint>

namespace writecanary::probe {

// Of offsets, lengths and memory; `fd` is open with O_DIRECT. 0 when the filesystem says that there is no direct I/O;
// 4096 where it does not say (before 6.1, FUSE).
std::uint64_t direct_alignment(int fd);

}  // namespace writecanary::probe
