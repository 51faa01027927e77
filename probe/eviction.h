// Takes a file out of the page cache, so that what is read next comes from storage.
//
// fadvise(DONTNEED) drops clean pages only, and only those that nobody uses; whether it worked is asked of mincore(2).
// tmpfs has nothing below its pages and keeps them all.
#pragma once

#include <cstdint>
#include <string>

namespace writecanary::probe {

struct Eviction {
  std::uint64_t pages = 0;     // of the file
  std::uint64_t resident = 0;  // of them, still in the page cache

  bool complete() const { return resident == 0; }
};

// Writes the file back (fdatasync) and drops it. Throws SystemError when writing back fails; `name` is for that text.
Eviction evict(int fd, const std::string& name);

}  // namespace writecanary::probe
