#include "probe/profiles/copy_after_write/hole_map.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/error.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kSmallestBlock = 512;  // a hole is not smaller

}  // namespace

HoleMap read_hole_map(int fd, const std::string& name, std::uint64_t size_bytes) {
  HoleMap map;
  const auto size = static_cast<off_t>(size_bytes);
  for (off_t at = 0; at < size;) {
    off_t data = lseek(fd, at, SEEK_DATA);
    if (data < 0 && errno == EINVAL) {
      map.refused = errno;
      return map;
    }
    if (data < 0 && errno != ENXIO) throw_errno("seek the next data of " + name);
    if (data < 0) data = size;  // a hole up to the end
    data = std::min(data, size);
    if (data > at) map.by_seek_data.push_back({static_cast<std::uint64_t>(at), static_cast<std::uint64_t>(data - at)});
    if (data == size) break;
    const off_t hole = lseek(fd, data, SEEK_HOLE);
    if (hole < 0) throw_errno("seek the next hole of " + name);
    const auto begin = static_cast<std::uint64_t>(hole);
    if (begin < size_bytes) map.by_seek_hole.push_back({begin, std::min(kSmallestBlock, size_bytes - begin)});
    at = std::max(hole, data + static_cast<off_t>(kSmallestBlock));  // also when the two contradict each other
  }
  return map;
}

std::vector<FileRange> data_in_holes(std::span<const FileRange> holes, std::span<const std::byte> image) {
  std::vector<FileRange> wrong;
  const auto is_data = [](std::byte byte) { return byte != std::byte{0}; };
  for (const FileRange& hole : holes) {
    const auto part = image.subspan(hole.offset, hole.length);
    const auto first = std::ranges::find_if(part, is_data);
    if (first == part.end()) continue;
    const auto last = std::find_if(part.rbegin(), part.rend(), is_data).base();
    wrong.push_back(
        {hole.offset + static_cast<std::uint64_t>(first - part.begin()), static_cast<std::uint64_t>(last - first)});
  }
  return wrong;
}

}  // namespace writecanary::probe
