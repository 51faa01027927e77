// Takes a file out of the page cache, so that what is read next comes from storage.
//
// fadvise(DONTNEED) drops clean pages only, and only those that nobody uses; whether it worked is asked of mincore(2).
// tmpfs has nothing below its pages but swap, where madvise(PAGEOUT) puts them; without swap it keeps them all.
#pragma once

#include <cstdint>
#include <string>

namespace writecanary::probe {

struct Residency {
  std::uint64_t pages = 0;     // of the file
  std::uint64_t resident = 0;  // of them, still in the page cache

  bool none() const { return resident == 0; }
};

// How much of the file is in the page cache. Without an answer from mincore all of it is taken to be. Throws
// SystemError.
Residency residency(int fd, const std::string& name);

// Writes the file back (fdatasync) and drops it. Returns what stayed. Throws SystemError when writing back fails;
// `name` is for that text.
Residency evict(int fd, const std::string& name);

}  // namespace writecanary::probe
