#include "probe/access/extents.h"

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <optional>
#include <vector>

namespace writecanary::probe {
namespace {

constexpr std::uint32_t kExtents = 16;

// The first of a range; nothing when the filesystem does not tell.
std::optional<std::vector<fiemap_extent>> extents_of(int fd, std::uint64_t offset, std::uint64_t bytes) {
  std::vector<std::uint64_t> room((sizeof(fiemap) + kExtents * sizeof(fiemap_extent)) / sizeof(std::uint64_t) + 1);
  auto* const map = reinterpret_cast<fiemap*>(room.data());
  map->fm_start = offset;
  map->fm_length = bytes;
  map->fm_extent_count = kExtents;
  if (ioctl(fd, FS_IOC_FIEMAP, map) != 0) return std::nullopt;
  return std::vector<fiemap_extent>(map->fm_extents, map->fm_extents + map->fm_mapped_extents);
}

}  // namespace

std::optional<RangeExtents> extents_in(int fd, std::uint64_t offset, std::uint64_t bytes) {
  const auto extents = extents_of(fd, offset, bytes);
  if (!extents) return std::nullopt;
  RangeExtents found;
  std::uint64_t reached = offset;
  for (const fiemap_extent& extent : *extents) {
    found.hole = found.hole || extent.fe_logical > reached;
    const bool unwritten = (extent.fe_flags & FIEMAP_EXTENT_UNWRITTEN) != 0;
    found.unwritten = found.unwritten || unwritten;
    found.written = found.written || !unwritten;
    found.shared = found.shared || (extent.fe_flags & FIEMAP_EXTENT_SHARED) != 0;
    reached = extent.fe_logical + extent.fe_length;
  }
  // Where there may be more extents than were asked for, the rest is not known.
  if (extents->size() < kExtents && reached < offset + bytes) found.hole = true;
  return found;
}

bool is_unwritten(int fd, std::uint64_t offset, std::uint64_t bytes) {
  const auto extents = extents_of(fd, offset, bytes);
  if (!extents) return false;
  std::uint64_t reached = offset;
  for (const fiemap_extent& extent : *extents) {
    if (extent.fe_logical > reached) return false;  // a hole
    if ((extent.fe_flags & (FIEMAP_EXTENT_UNWRITTEN | FIEMAP_EXTENT_DELALLOC)) == 0) return false;
    reached = extent.fe_logical + extent.fe_length;
  }
  return reached >= offset + bytes;
}

bool is_hole(int fd, std::uint64_t offset, std::uint64_t bytes) {
  const auto extents = extents_of(fd, offset, bytes);
  return extents && extents->empty();
}

}  // namespace writecanary::probe
