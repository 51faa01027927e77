// Whether direct writes are direct, and whether one was.
//
// tmpfs, and ext4 with data=journal, take O_DIRECT and write to the page cache all the same; btrfs does so for files
// with checksums since 6.15, and drops its pages afterwards.
#pragma once

#include <cstdint>

namespace writecanary::probe {

// Writes through `scratch`, a new file's descriptor with O_RDWR | O_DIRECT, over pages of it that are mapped: they are
// gone after a direct write, which takes even mapped pages away before it begins, and stay after a buffered one, since
// what is mapped is not dropped (invalidate_mapping_pages(), mm/truncate.c). False when it cannot be known. Throws
// SystemError when writing fails.
bool passes_cache_by(int scratch, std::uint64_t alignment);

// Pages of this range that are in the page cache; all of them when mincore(2) cannot be asked.
std::uint64_t resident_pages(int fd, std::uint64_t offset, std::uint64_t bytes);

}  // namespace writecanary::probe
