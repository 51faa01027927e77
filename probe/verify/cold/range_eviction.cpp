#include "probe/verify/cold/range_eviction.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "core/base/error.h"
#include "core/base/retried.h"

namespace writecanary::probe {

std::uint64_t resident_pages(int fd, std::uint64_t offset, std::uint64_t bytes) {
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const std::uint64_t lead = offset % page;
  std::vector<unsigned char> pages((lead + bytes + page - 1) / page, 1);
  void* mapping = mmap(nullptr, lead + bytes, PROT_READ, MAP_SHARED, fd, static_cast<off_t>(offset - lead));
  if (mapping == MAP_FAILED) return pages.size();
  if (mincore(mapping, lead + bytes, pages.data()) != 0) std::ranges::fill(pages, static_cast<unsigned char>(1));
  munmap(mapping, lead + bytes);
  return static_cast<std::uint64_t>(std::ranges::count_if(pages, [](unsigned char flags) { return (flags & 1) != 0; }));
}

void write_back(int fd, const std::string& name, std::uint64_t offset, std::uint64_t bytes) {
  constexpr unsigned kWriteAndWait = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  const int failed = retried(
      [&] { return sync_file_range(fd, static_cast<off_t>(offset), static_cast<off_t>(bytes), kWriteAndWait); });
  if (failed != 0) throw_errno("write back a part of " + name);
}

bool evict_range(int fd, const std::string& name, std::uint64_t offset, std::uint64_t bytes) {
  constexpr int kTries = 3;  // a page that somebody holds for a moment stays at first
  write_back(fd, name, offset, bytes);
  const auto begin = static_cast<off_t>(offset);
  const auto length = static_cast<off_t>(bytes);
  for (int i = 0; i < kTries; ++i) {
    posix_fadvise(fd, begin, length, POSIX_FADV_DONTNEED);
    if (resident_pages(fd, offset, bytes) == 0) return true;
  }
  return false;
}

}  // namespace writecanary::probe
