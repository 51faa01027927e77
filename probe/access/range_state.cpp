#include "probe/access/range_state.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "probe/access/extents.h"

namespace writecanary::probe {

std::optional<CachedPages> cached_pages(int fd, const FileRange& range) {
  constexpr long kCachestat = 451;  // the C library does not know it yet
  struct {
    std::uint64_t offset = 0, length = 0;  // length 0: to the end
  } asked;
  asked.offset = range.offset;
  asked.length = range.length;
  struct {
    std::uint64_t cached = 0, dirty = 0, writeback = 0, evicted = 0, recently_evicted = 0;
  } pages;
  if (syscall(kCachestat, fd, &asked, &pages, 0) != 0) return std::nullopt;
  return CachedPages{pages.cached, pages.dirty + pages.writeback};
}

CoveredStates state_of(int fd, const FileRange& range, std::uint64_t size_bytes) {
  CoveredStates states;
  const std::uint64_t end = range.offset + range.length;
  if (end > size_bytes) states.add(CoveredState::kBeyondEnd);
  if (range.length == 0) return states;
  // Of a range across the end the part before it; of one behind it what was allocated in advance.
  const bool behind = range.offset >= size_bytes;
  const auto extents = extents_in(fd, range.offset, behind ? range.length : std::min(end, size_bytes) - range.offset);
  if (extents) {
    if (extents->hole && !behind) states.add(CoveredState::kHole);
    if (extents->unwritten) states.add(CoveredState::kPreallocated);
    if (extents->shared) states.add(CoveredState::kShared);
  }
  if (behind) return states;
  const auto pages = cached_pages(fd, range);
  if (!pages) return states;
  if (pages->dirty != 0) {
    states.add(CoveredState::kDirty);
  } else if (extents && extents->written) {
    states.add(CoveredState::kClean);
  }
  return states;
}

}  // namespace writecanary::probe
