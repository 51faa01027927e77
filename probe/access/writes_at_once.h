// Several writes that are handed to the kernel in one call, so that they are under way at the same time.
//
// By io_submit(2), which every kernel has and which begins each write in the caller, one after the other. Only direct
// writes go on by themselves after that; others have ended when it returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace writecanary::probe {

class WritesAtOnce {
 public:
  // For up to so many writes. Null, with the reason in errno, when the kernel has no such queue (to give).
  static std::unique_ptr<WritesAtOnce> open(unsigned writes_max);
  ~WritesAtOnce();
  WritesAtOnce(const WritesAtOnce&) = delete;
  WritesAtOnce& operator=(const WritesAtOnce&) = delete;

  struct Write {
    std::uint64_t offset = 0;
    std::span<const std::byte> bytes;
  };
  // Returns when all have ended: what each returned, or its negative errno. Throws SystemError when nobody can tell.
  std::vector<std::int64_t> write(int fd, std::span<const Write> writes);

 private:
  explicit WritesAtOnce(unsigned long queue) : queue_(queue) {}

  unsigned long queue_;
};

}  // namespace writecanary::probe
