// Several writes that are under way at the same time.
//
// Two threads hand every second one to the kernel, all in one call: io_submit(2), which every kernel has, begins each
// write in its caller, one after the other. So direct writes meet on the device, where the filesystem does not make
// them wait; and where it does, the first of one thread meets the first of the other on their way in. Others than
// direct writes have ended when the call returns.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace writecanary::probe {

class WritesAtOnce {
 public:
  // For up to so many writes a thread. Null, with the reason in errno, when the kernel has no such queue (to give).
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
  using Queue = unsigned long;
  explicit WritesAtOnce(std::array<Queue, 2> queues) : queues_(queues) {}

  std::array<Queue, 2> queues_;  // of a thread each
};

}  // namespace writecanary::probe
