// What a run's cgroup has counted, read before it is removed.
#pragma once

#include <cstdint>
#include <string>

namespace writecanary::daemon {

// Processes that the kernel killed in it for want of memory: memory.events (version 2) or memory.oom_control (1).
// 0 when neither file can be read.
std::uint64_t oom_kills_of(const std::string& cgroup_directory);

}  // namespace writecanary::daemon
