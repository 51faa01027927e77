// Memory cgroups for runs: finding a place where one can be made, making it, moving its limit, killing all in it.
//
// A run needs a memory limit of its own, because a non-blocking charge that fails at the limit is what sends an inline
// write down the path the canary watches, without any pressure on the host. Version 2 with a delegated subtree is the
// normal case, the version 1 memory controller is supported. What limit to set when is probe/trap/pressure.h.
// Paths to /proc and /sys are parameters so that tests can give their own.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/run/run_result.h"

namespace writecanary {

// A directory under which memory cgroups can be made, or the reason why there is none.
struct CgroupRoot {
  int version = 0;        // 2, 1, or 0 for none
  std::string directory;  // where run cgroups are made
  std::string reason;     // for none: the exact file and error, and what to do about it

  // "cgroup2", "cgroup1" or "none".
  std::string backend() const;
};

struct CgroupPaths {
  std::string proc_self_cgroup = "/proc/self/cgroup";
  std::string mountinfo = "/proc/self/mountinfo";
};

// Finds or prepares the place, trying it out by making and removing a cgroup. On version 2 that may enable the memory
// controller and move this process to a leaf ("main") of its own delegated cgroup, because a cgroup with members
// cannot enable controllers for its children (Documentation/admin-guide/cgroup-v2.rst, "No Internal Process
// Constraint"). Call before starting threads or children. Never throws for a missing facility: see reason.
CgroupRoot prepare_cgroup_root(const CgroupPaths& paths = {});

// One run's cgroup. Owns the directory: removed on destruction, with everything in it killed.
class Cgroup {
 public:
  // Makes root.directory/name with the limit. Throws SystemError.
  static Cgroup create(const CgroupRoot& root, const std::string& name, std::uint64_t limit_bytes);
  Cgroup(Cgroup&& other) noexcept;
  Cgroup& operator=(Cgroup&& other) noexcept;
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;
  ~Cgroup();

  const std::string& directory() const { return directory_; }
  std::string procs_file() const { return directory_ + "/cgroup.procs"; }
  // Kills every process in it (cgroup.kill, else one by one). Does not wait.
  void kill_all() const;
  // True once no process is left and the directory is gone.
  bool try_remove();
  // Gives the directory up without removing it (a stuck process still sits in it).
  void release() { directory_.clear(); }

 private:
  Cgroup(std::string directory, int version) : directory_(std::move(directory)), version_(version) {}
  std::string directory_;
  int version_;
};

// How many processes in it the kernel has killed because the limit was reached; 0 when that cannot be read.
std::uint64_t oom_kills_of(const std::string& cgroup_directory);

// Kills and removes cgroups that an earlier daemon left under the root: every child whose name begins with the prefix.
// Returns the names that could not be removed (their processes hang in the kernel).
std::vector<std::string> remove_leftover_cgroups(const CgroupRoot& root, std::string_view prefix);

// Removes the children of the root whose name is wanted and that no process is in. Kills nothing and does not wait.
void remove_empty_cgroups(const CgroupRoot& root, const std::function<bool(const std::string& name)>& wanted);

}  // namespace writecanary
