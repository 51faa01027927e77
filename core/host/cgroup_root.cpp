// The part of core/host/cgroup.h that finds the place where run cgroups are made.
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <functional>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/limits.h"
#include "core/host/cgroup.h"
#include "core/host/mountinfo.h"

namespace writecanary {
namespace {

// Where a hierarchy is mounted and where this process is in it. own is mount_point or below.
struct Place {
  std::string mount_point;
  std::string own;
};

bool has_word(std::string_view text, std::string_view word, std::string_view separators) {
  while (!text.empty()) {
    const std::size_t end = text.find_first_of(separators);
    if (text.substr(0, end) == word) return true;
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
  }
  return false;
}

// Whether a file such as cgroup.controllers lists the memory controller. Throws SystemError.
bool lists_memory(const std::string& file) { return has_word(read_file(file), "memory", " \n"); }

std::string parent_of(const std::string& directory) { return std::filesystem::path(directory).parent_path(); }

// This process's path in a hierarchy, from lines `id:controllers:path` (cgroups(7)). The unified one has the id 0 and
// names no controllers.
std::optional<std::string> own_path(std::string_view proc_self_cgroup, int version) {
  while (!proc_self_cgroup.empty()) {
    const std::size_t end = proc_self_cgroup.find('\n');
    const std::string_view line = proc_self_cgroup.substr(0, end);
    proc_self_cgroup.remove_prefix(end == std::string_view::npos ? proc_self_cgroup.size() : end + 1);
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const bool unified = line.substr(0, first) == "0" && controllers.empty();
    if (version == 2 ? unified : has_word(controllers, "memory", ",")) return std::string(line.substr(second + 1));
  }
  return std::nullopt;
}

// In a container the mount may show only a part of the hierarchy, and the process may even be outside of that part.
std::optional<Place> place_in(const Mount& mount, const std::string& path) {
  const std::string root = mount.root == "/" ? "" : mount.root;
  if (!path.starts_with(root)) return std::nullopt;
  const std::string below = path.substr(root.size());
  if (!below.empty() && !below.starts_with('/')) return std::nullopt;
  if (below.starts_with("/..")) return std::nullopt;
  return Place{mount.mount_point, mount.mount_point + (below == "/" ? "" : below)};
}

// Does what a run will do: makes a cgroup, limits it, and asks to put a process there. Throws SystemError.
void try_out(int version, const std::string& directory) {
  const CgroupRoot root{version, directory, ""};
  const Cgroup trial = Cgroup::create(root, fmt::format("writecanary-trial-{}", getpid()), kMemoryBytesMin);
  open_file(trial.procs_file(), O_WRONLY);
  // Version 2 wants this permission also at the common ancestor of where a process comes from and where it goes.
  if (version == 2) open_file(directory + "/cgroup.procs", O_WRONLY);
}

// Moves this process, the only member of its cgroup, to the leaf "main", so that the cgroup can have children with a
// memory limit. Undone unless keep() was called.
class LeafMove {
 public:
  explicit LeafMove(const std::string& own) : own_(own) {
    const std::string leaf = own_ + "/main";
    if (mkdir(leaf.c_str(), 0755) != 0 && errno != EEXIST) throw_errno("make cgroup " + leaf);
    try {
      write_control_file(leaf + "/cgroup.procs", std::to_string(getpid()));
      write_control_file(own_ + "/cgroup.subtree_control", "+memory");
    } catch (const SystemError&) {
      undo();
      throw;
    }
  }
  LeafMove(const LeafMove&) = delete;
  LeafMove& operator=(const LeafMove&) = delete;
  ~LeafMove() {
    if (!kept_) undo();
  }
  void keep() { kept_ = true; }

 private:
  void undo() const {
    try {
      write_control_file(own_ + "/cgroup.subtree_control", "-memory");
      write_control_file(own_ + "/cgroup.procs", std::to_string(getpid()));
    } catch (const SystemError&) {
      // Stays where it is, which harms nothing; the failure that brought us here is the one to report.
    }
    rmdir((own_ + "/main").c_str());
  }

  std::string own_;
  bool kept_ = false;
};

class Search {
 public:
  explicit Search(const CgroupPaths& paths) : paths_(paths) {}

  CgroupRoot run() {
    for (const int version : {2, 1}) {
      std::string found;
      attempt([&] {
        const auto place = find_place(version);
        if (place) found = version == 2 ? search_v2(*place) : search_v1(*place);
        return std::string();
      });
      if (!found.empty()) return {version, found, ""};
    }
    return {0, "",
            fmt::format("no memory cgroup can be made: {}. Run as root, or under `systemd-run --user --scope -p "
                        "Delegate=memory ...`, or set Delegate=memory in the service's unit",
                        fmt::join(failures_, "; "))};
  }

 private:
  // True when `step` succeeded: it returns the reason against a candidate, or throws SystemError.
  bool attempt(const std::function<std::string()>& step) {
    std::string failure;
    try {
      failure = step();
    } catch (const SystemError& error) {
      failure = error.what();
    }
    if (failure.empty()) return true;
    failures_.push_back(failure);
    return false;
  }

  std::optional<Place> find_place(int version) {
    const std::string_view hierarchy = version == 2 ? "cgroup2" : "the v1 memory controller";
    const auto path = own_path(read_file(paths_.proc_self_cgroup), version);
    if (!path) {
      failures_.push_back(fmt::format("{} has no line for {}", paths_.proc_self_cgroup, hierarchy));
      return std::nullopt;
    }
    for (const Mount& mount : read_mountinfo(paths_.mountinfo)) {
      const bool wanted =
          version == 2 ? mount.type == "cgroup2" : mount.type == "cgroup" && has_word(mount.options, "memory", ",");
      if (!wanted) continue;
      if (auto place = place_in(mount, *path)) return place;
    }
    failures_.push_back(fmt::format("{} has no mount of {} that shows {}", paths_.mountinfo, hierarchy, *path));
    return std::nullopt;
  }

  // The directory, or nothing.
  std::string search_v2(const Place& place) {
    if (!attempt([&] {
          const std::string file = place.mount_point + "/cgroup.controllers";
          return lists_memory(file) ? "" : file + " does not offer memory";
        })) {
      return "";
    }
    const bool in_leaf = place.own != place.mount_point && place.own.ends_with("/main");
    if (in_leaf && attempt([&] { return use_enabled(parent_of(place.own)); })) return parent_of(place.own);
    if (attempt([&] { return use_own(place.own); })) return place.own;
    std::string directory = place.own;
    while (directory != place.mount_point) {
      directory = parent_of(directory);
      if (attempt([&] { return use_enabled(directory); })) return directory;
    }
    return "";
  }

  std::string search_v1(const Place& place) {
    std::string directory = place.own;
    for (;;) {
      const auto usable = [&] {
        try_out(1, directory);
        return std::string();
      };
      if (attempt(usable)) return directory;
      if (directory == place.mount_point) return "";
      directory = parent_of(directory);
    }
  }

  // A cgroup whose children have the memory controller already.
  static std::string use_enabled(const std::string& directory) {
    const std::string file = directory + "/cgroup.subtree_control";
    if (!lists_memory(file)) return file + " does not list memory";
    try_out(2, directory);
    return "";
  }

  static std::string use_own(const std::string& own) {
    if (lists_memory(own + "/cgroup.subtree_control")) return use_enabled(own);
    const std::string controllers = own + "/cgroup.controllers";
    if (!lists_memory(controllers)) return controllers + " does not list memory";
    // Only the root of the whole hierarchy has no cgroup.type. It may have members and controllers for its children.
    if (access((own + "/cgroup.type").c_str(), F_OK) != 0) {
      write_control_file(own + "/cgroup.subtree_control", "+memory");
      return use_enabled(own);
    }
    if (read_file(own + "/cgroup.procs") != std::to_string(getpid()) + "\n") {
      return own + "/cgroup.procs has other members than this process";
    }
    LeafMove move(own);
    try_out(2, own);
    move.keep();
    return "";
  }

  CgroupPaths paths_;
  std::vector<std::string> failures_;
};

}  // namespace

std::string CgroupRoot::backend() const {
  if (version == 0) return "none";
  return version == 2 ? "cgroup2" : "cgroup1";
}

CgroupRoot prepare_cgroup_root(const CgroupPaths& paths) { return Search(paths).run(); }

}  // namespace writecanary
