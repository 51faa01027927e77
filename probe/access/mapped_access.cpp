#include "probe/access/mapped_access.h"

#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>

namespace writecanary::probe {

Mapped::Mapped(int fd, std::uint64_t offset, std::uint64_t bytes, bool writable)
    : lead_(offset % static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE))) {
  const int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  void* made = mmap(nullptr, lead_ + bytes, protection, MAP_SHARED, fd, static_cast<off_t>(offset - lead_));
  if (made == MAP_FAILED) return;
  memory_ = made;
  length_ = lead_ + bytes;
}

Mapped::~Mapped() {
  if (memory_ != nullptr) munmap(memory_, length_);
}

std::size_t Mapped::load(std::span<std::byte> out) const {
  if (memory_ == nullptr) return 0;
  const iovec to{out.data(), out.size()};
  const iovec from{static_cast<std::byte*>(memory_) + lead_, out.size()};
  return static_cast<std::size_t>(std::max<ssize_t>(process_vm_readv(getpid(), &to, 1, &from, 1, 0), 0));
}

std::size_t Mapped::store(std::span<const std::byte> bytes) const {
  if (memory_ == nullptr) return 0;
  const iovec from{const_cast<std::byte*>(bytes.data()), bytes.size()};
  const iovec to{static_cast<std::byte*>(memory_) + lead_, bytes.size()};
  return static_cast<std::size_t>(std::max<ssize_t>(process_vm_writev(getpid(), &from, 1, &to, 1, 0), 0));
}

}  // namespace writecanary::probe
