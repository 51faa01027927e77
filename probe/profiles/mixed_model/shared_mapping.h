// A shared mapping of a piece of a file, for stores and loads that are plain memory accesses.
//
// Whoever cuts the file while it is mapped is killed (SIGBUS): one thread does all in this profile.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "probe/run/file_range.h"

namespace writecanary::probe {

// Empty where the filesystem refuses it. Unmapped by the destructor.
class SharedMapping {
 public:
  SharedMapping(int fd, const FileRange& where) {
    const std::uint64_t lead = where.offset % static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    length_ = lead + where.length;
    memory_ = mmap(nullptr, length_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, static_cast<off_t>(where.offset - lead));
    if (memory_ != MAP_FAILED) bytes_ = {static_cast<std::byte*>(memory_) + lead, where.length};
  }
  ~SharedMapping() {
    if (memory_ != MAP_FAILED) munmap(memory_, length_);
  }
  SharedMapping(const SharedMapping&) = delete;
  SharedMapping& operator=(const SharedMapping&) = delete;
  std::span<std::byte> bytes() const { return bytes_; }

 private:
  void* memory_;
  std::size_t length_;
  std::span<std::byte> bytes_;
};

}  // namespace writecanary::probe
