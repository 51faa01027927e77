#include "probe/profiles/direct_append/cache_bypass.h"

#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "core/base/error.h"

namespace writecanary::probe {
namespace {

// A file's beginning, mapped for reading for as long as this lives.
class MappedPages {
 public:
  MappedPages(int fd, std::uint64_t bytes)
      : bytes_(bytes), memory_(mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd, 0)) {}
  ~MappedPages() {
    if (memory_ != MAP_FAILED) munmap(memory_, bytes_);
  }
  MappedPages(const MappedPages&) = delete;
  MappedPages& operator=(const MappedPages&) = delete;

  // Brings the pages in, by a system call, so that what cannot be had ends nothing. False when they cannot be had.
  bool touch() const {
    if (memory_ == MAP_FAILED) return false;
    const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    char byte = 0;
    for (std::uint64_t offset = 0; offset < bytes_; offset += page) {
      const iovec to{&byte, 1}, from{static_cast<std::byte*>(memory_) + offset, 1};
      if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) != 1) return false;
    }
    return true;
  }

 private:
  std::uint64_t bytes_;
  void* memory_;
};

}  // namespace

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

bool passes_cache_by(int scratch, std::uint64_t alignment) {
  const std::uint64_t length = 16 * alignment;
  if (ftruncate(scratch, static_cast<off_t>(length)) != 0) throw_errno("truncate scratch");
  const MappedPages mapped(scratch, length);
  if (!mapped.touch()) return false;
  void* memory = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw_errno("map memory");
  const ssize_t returned = pwrite(scratch, memory, length, 0);
  const int error = errno;
  munmap(memory, length);
  if (returned < 0) throw SystemError("direct write to scratch", error);
  return resident_pages(scratch, 0, length) == 0;
}

}  // namespace writecanary::probe
