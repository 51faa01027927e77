// Loads and stores through a mapping of a file, but made by a system call: a page that cannot be had (an I/O error, a
// size that went back) is a short result then, and not the end of the process (SIGBUS).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/fd.h"

namespace writecanary::probe {

// Part of a file, mapped for as long as this lives.
class Mapped {
 public:
  // Any offset. Not every file can be mapped: then nothing can be loaded or stored.
  Mapped(int fd, std::uint64_t offset, std::uint64_t bytes, bool writable = false);
  ~Mapped();
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;

  // From the begin of the part on. Returns how many bytes could be had.
  std::size_t load(std::span<std::byte> out) const;
  std::size_t store(std::span<const std::byte> bytes) const;

 private:
  std::size_t length_ = 0;
  std::size_t lead_ = 0;  // of the part in its first page
  void* memory_ = nullptr;
};

}  // namespace writecanary::probe
