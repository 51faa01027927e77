// Page cache that the kernel can take back at once: a synced file kept in the cache of the run's cgroup.
//
// A write that may block and meets the memory limit reclaims. If all that its cgroup holds is dirty or anonymous, it
// grinds or is OOM-killed; with clean pages at hand it gets what it needs. Used where blocking writes must meet the
// limit: append-sync, append-concurrent.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "probe/run/workspace.h"

namespace writecanary::probe {

class CleanCache {
 public:
  // Writes and syncs a file of this size in the run's directory. Throws SystemError.
  CleanCache(const Workspace& workspace, std::uint64_t bytes);
  // Reads back what was reclaimed. Throws SystemError.
  void refill();

 private:
  Fd fd_;
  std::uint64_t bytes_;
  std::vector<char> buffer_;
};

}  // namespace writecanary::probe
