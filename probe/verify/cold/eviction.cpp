#include "probe/verify/cold/eviction.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "core/base/error.h"
#include "core/base/retried.h"

namespace writecanary::probe {
namespace {

bool is_memory(int fd) {
  struct statfs facts {};
  return fstatfs(fd, &facts) == 0 && facts.f_type == TMPFS_MAGIC;
}

// Asks for all of it to be put into swap. Only what is mapped, and by nobody else, is.
void page_out(int fd, const std::string& name) {
  struct stat status {};
  if (fstat(fd, &status) != 0) throw_errno("stat " + name);
  const auto size = static_cast<std::size_t>(status.st_size);
  void* mapping = size == 0 ? MAP_FAILED : mmap(nullptr, size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
  if (mapping == MAP_FAILED) return;
  madvise(mapping, size, MADV_PAGEOUT);
  munmap(mapping, size);
}

}  // namespace

Residency residency(int fd, const std::string& name) {
  struct stat status {};
  if (fstat(fd, &status) != 0) throw_errno("stat " + name);
  const auto size = static_cast<std::size_t>(status.st_size);
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  Residency made{.pages = (size + page - 1) / page};
  if (size == 0) return made;
  made.resident = made.pages;  // unless mincore can be asked
  void* mapping = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (mapping == MAP_FAILED) return made;
  std::vector<unsigned char> pages(made.pages);
  if (mincore(mapping, size, pages.data()) == 0) {
    made.resident = static_cast<std::uint64_t>(std::ranges::count_if(pages, [](auto flags) { return flags & 1; }));
  }
  munmap(mapping, size);
  return made;
}

Residency evict(int fd, const std::string& name) {
  constexpr int kTries = 3;  // pages that somebody holds for a moment (writeback, a per-CPU list) stay at first
  if (retried([&] { return fdatasync(fd); }) != 0) throw_errno("fdatasync " + name);
  Residency left;
  const bool memory = is_memory(fd);
  for (int i = 0; i < kTries; ++i) {
    if (memory) page_out(fd, name);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    left = residency(fd, name);
    if (left.none()) break;
  }
  return left;
}

}  // namespace writecanary::probe
