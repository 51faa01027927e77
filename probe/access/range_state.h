// In which state a part of a file is, as the kernel tells it: what an operation on it will meet.
//
// Asked of FIEMAP (holes, preallocated, shared) and cachestat(2) (dirty or not, 6.5), neither of which writes anything
// back or brings anything in. What the kernel does not tell is not claimed. On some filesystems FIEMAP waits for a
// write to that file that is under way.
#pragma once

#include <optional>

#include "core/run/coverage.h"
#include "probe/run/file_range.h"

namespace writecanary::probe {

// Of a file that has this size. Nothing but what lies beyond its end is said of a file that cannot be asked.
CoveredStates state_of(int fd, const FileRange& range, std::uint64_t size_bytes);

// How many pages of a range are in the page cache, and how many of them are not written back.
struct CachedPages {
  std::uint64_t cached = 0, dirty = 0;
};
// Of the whole file where `range` is empty. Nothing where the kernel cannot be asked (before 6.5).
std::optional<CachedPages> cached_pages(int fd, const FileRange& range);

}  // namespace writecanary::probe
