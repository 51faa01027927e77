// Whether a file has pages in the page cache that are not written back yet.
//
// Asked of cachestat(2), and where the kernel has none (before Linux 6.5) of /proc/self/smaps, which tells of one
// mapped page whether it is dirty. An answer that cannot be had is not taken for a yes.
#pragma once

#include <cstdint>
#include <string>

#include "probe/run/file_range.h"

namespace writecanary::probe {

// `written`: whole bytes that were written last; without cachestat(2) one page in it is looked at. It must be in the
// page cache, or looking would bring it there. `filesystem`: its type. Never throws for an answer that cannot be had.
bool has_dirty_pages(int fd, const FileRange& written, const std::string& filesystem);

}  // namespace writecanary::probe
