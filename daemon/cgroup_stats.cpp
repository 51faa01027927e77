#include "daemon/cgroup_stats.h"

#include <sstream>

#include "core/error.h"
#include "core/fd.h"

namespace writecanary::daemon {

std::uint64_t oom_kills_of(const std::string& cgroup_directory) {
  for (const char* file : {"/memory.events", "/memory.oom_control"}) {
    try {
      std::istringstream lines(read_file(cgroup_directory + file));
      std::string key;
      std::uint64_t value = 0;
      while (lines >> key >> value) {
        if (key == "oom_kill") return value;
      }
    } catch (const SystemError&) {
      continue;  // the other version's name
    }
  }
  return 0;
}

}  // namespace writecanary::daemon
