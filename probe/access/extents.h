// What the filesystem says of the blocks behind a range of a file (FIEMAP), without writing anything back for it.
#pragma once

#include <cstdint>
#include <optional>

namespace writecanary::probe {

// What there is in a range, as far as the first extents of it go; nothing when the filesystem does not tell.
struct RangeExtents {
  bool hole = false, unwritten = false, written = false, shared = false;
};
std::optional<RangeExtents> extents_in(int fd, std::uint64_t offset, std::uint64_t bytes);

// Whether all of the range lies in extents that are allocated and not written yet, or are not even allocated while data
// for them waits in the page cache. False as well when the filesystem does not tell: unknown is not unwritten. On some
// filesystems it waits for a write to that file.
bool is_unwritten(int fd, std::uint64_t offset, std::uint64_t bytes);
// Whether there is no extent in the range, behind the end of the file too. False when the filesystem does not tell.
bool is_hole(int fd, std::uint64_t offset, std::uint64_t bytes);

}  // namespace writecanary::probe
