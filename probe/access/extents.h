// What the filesystem says of its blocks: their size, and whether those behind a range of a file are written (FIEMAP).
// Nothing is written back for it.
#pragma once

#include <cstdint>

#include "probe/run/workspace.h"

namespace writecanary::probe {

// Not smaller than a page, and not what a network filesystem calls a block: at most 64 KiB. Throws SystemError.
std::uint64_t block_bytes(const Workspace& workspace);

// Whether all of the range lies in extents that are allocated and not written yet, or are not even allocated while data
// for them waits in the page cache. False as well when the filesystem does not tell: unknown is not unwritten. On some
// filesystems it waits for a write to that file.
bool is_unwritten(int fd, std::uint64_t offset, std::uint64_t bytes);

}  // namespace writecanary::probe
