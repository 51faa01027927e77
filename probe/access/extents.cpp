#include "probe/access/extents.h"

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <vector>

namespace writecanary::probe {

bool is_unwritten(int fd, std::uint64_t offset, std::uint64_t bytes) {
  constexpr std::uint32_t kExtents = 16;
  std::vector<std::uint64_t> room((sizeof(fiemap) + kExtents * sizeof(fiemap_extent)) / sizeof(std::uint64_t) + 1);
  auto* const map = reinterpret_cast<fiemap*>(room.data());
  map->fm_start = offset;
  map->fm_length = bytes;
  map->fm_extent_count = kExtents;
  if (ioctl(fd, FS_IOC_FIEMAP, map) != 0) return false;
  std::uint64_t reached = offset;
  for (std::uint32_t i = 0; i < map->fm_mapped_extents; ++i) {
    const fiemap_extent& extent = map->fm_extents[i];
    if (extent.fe_logical > reached) return false;  // a hole
    if ((extent.fe_flags & (FIEMAP_EXTENT_UNWRITTEN | FIEMAP_EXTENT_DELALLOC)) == 0) return false;
    reached = extent.fe_logical + extent.fe_length;
  }
  return reached >= offset + bytes;
}

}  // namespace writecanary::probe
