// Whether a filesystem does direct I/O, what it must be aligned to, and whether it is direct.
//
// tmpfs, and ext4 with data=journal, take O_DIRECT and write to the page cache all the same; btrfs does so for files
// with checksums since 6.15, and drops its pages afterwards.
#pragma once

#include <cstdint>
#include <optional>

#include "probe/run/workspace.h"
#include "probe/trap/ring.h"

namespace writecanary::probe {

struct DirectIo {
  std::uint64_t alignment = 0;  // of offsets, lengths and memory
  // Tried with a direct write over pages of a file that are mapped: they are gone after one, which takes even mapped
  // pages away before it begins, and stay after a buffered one, since what is mapped is not dropped
  // (invalidate_mapping_pages(), mm/truncate.c). False when it cannot be known.
  bool passes_cache_by = false;
};

// Nothing, and why, where O_DIRECT is refused. Throws SystemError for any other failure.
std::optional<DirectIo> try_direct_io(const Workspace& workspace, Unsupported& refused);

}  // namespace writecanary::probe
