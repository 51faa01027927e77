#include "probe/access/direct_alignment.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kDefaultAlignment = 4096;

}  // namespace

std::uint64_t direct_alignment(int fd) {
  struct statx facts {};
  if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &facts) != 0 || (facts.stx_mask & STATX_DIOALIGN) == 0) {
    return kDefaultAlignment;
  }
  return std::max<std::uint64_t>(facts.stx_dio_offset_align, facts.stx_dio_mem_align);
}

}  // namespace writecanary::probe
