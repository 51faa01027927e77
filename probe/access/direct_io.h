// What direct I/O needs on the filesystem of the run, and whether it is direct there at all.
#pragma once

#include <cstdint>
#include <optional>

#include "probe/run/workspace.h"
#include "probe/trap/ring.h"
#include "probe/trap/withheld_memory.h"

namespace writecanary::probe {

// Offsets and lengths must be multiples of this. Nothing, and why, when the filesystem refuses O_DIRECT. Throws
// SystemError.
std::optional<std::uint64_t> direct_alignment(const Workspace& workspace, Unsupported& refused);

// Where a direct write that is held open across this has a part of itself in the page cache, it is none: kernels copy
// buffered writes in chunks that end there (large folios), and a direct write pins all of its memory before it begins.
inline constexpr std::uint64_t kChunkBytesMax = 2UL << 20;

// Whether a direct write passes the page cache by. tmpfs, ext4 with data=journal and btrfs with checksums (6.15) take
// O_DIRECT and write to the page cache all the same, some of them clean up after themselves. It is tried, with a write
// that is held open; false when that cannot be had, since unknown is not direct. The memory must hold six units. Throws
// SystemError.
bool passes_cache_by(const Workspace& workspace, WithheldMemory& memory, std::uint64_t unit_bytes);

}  // namespace writecanary::probe
