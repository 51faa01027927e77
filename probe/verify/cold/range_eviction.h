// Writes a part of a file back and drops it from the page cache, while the rest of the file is in use.
//
// probe/verify/cold/eviction.h does it to a whole file at rest and starts with fdatasync, which on btrfs waits for a
// write that is held open. This writes back with sync_file_range(2), which waits for no inode.
#pragma once

#include <cstdint>
#include <string>

namespace writecanary::probe {

// Pages of this range that are in the page cache; all of them when mincore(2) cannot be asked.
std::uint64_t resident_pages(int fd, std::uint64_t offset, std::uint64_t bytes);

// Writes the pages that touch the range back and waits. Throws SystemError: the kernel tells a descriptor once what
// became of its pages, so whoever waits and does not look has lost the error, and finds the bytes missing later.
void write_back(int fd, const std::string& name, std::uint64_t offset, std::uint64_t bytes);

// Only pages that touch the range are written back; only those that lie in it as a whole are dropped, so give it whole
// pages. True when none of it is resident afterwards: a page that was dirty and is gone was written. Throws
// SystemError.
bool evict_range(int fd, const std::string& name, std::uint64_t offset, std::uint64_t bytes);

}  // namespace writecanary::probe
