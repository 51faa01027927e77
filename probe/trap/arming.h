// Getting an inline write past the two checks that would punt it before it copied a byte.
//
// Timestamps: file_modified() with IOCB_NOWAIT gives up when modification or change time must be updated, that is when
// they are older than the current timer tick (fs/inode.c, inode_needs_update_time()). arm() makes them current, early
// in a tick.
//
// Dirty throttling: balance_dirty_pages_ratelimited_flags(BDP_ASYNC) gives up before the first page once this task has
// dirtied more than its allowance and its cgroup is over its share (mm/page-writeback.c). A cgroup at its limit always
// is. The counter belongs to the task and only a blocking write takes it back to zero: that is what a Pacer does. In
// emulated guests it is the difference between 25 % and 95 % of the writes.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/fd.h"

namespace writecanary::probe {

// The tick in which a file was armed.
class Arming {
 public:
  explicit Arming(std::int64_t tick_ns) : tick_ns_(tick_ns) {}
  // Whether it is still that tick. Ask right after the attempt: if one that got nowhere was too late, this is false.
  bool holds() const;

 private:
  std::int64_t tick_ns_;
};

// Sets modification and change time to now, early in a tick: sleeps through the rest of one that is more than half
// over, and arms again when a tick came meanwhile. Nothing may stat the file before the write is submitted: with
// multigrain timestamps (6.13) that disarms it. Throws SystemError.
Arming arm(int fd);

class Pacer {
 public:
  // Makes the file that is written to; it must be on the tested filesystem. Throws SystemError.
  explicit Pacer(const std::string& path);
  ~Pacer();
  Pacer(const Pacer&) = delete;
  Pacer& operator=(const Pacer&) = delete;

  // Settles this task's dirty-page account. Call while the memory limit is relieved. Throws SystemError.
  void settle();
  // The file that is written to.
  int fd() const { return fd_.get(); }

 private:
  std::string path_;
  Fd fd_;
};

}  // namespace writecanary::probe
