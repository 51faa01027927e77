#include "core/host/cgroup.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <set>
#include <sstream>
#include <thread>
#include <utility>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/fd.h"

namespace writecanary {
namespace {

namespace fs = std::filesystem;

// A killed process leaves its cgroup within a millisecond or two; one that is still there after this hangs.
constexpr std::chrono::milliseconds kRemovalGrace{1000};
constexpr std::chrono::milliseconds kRemovalPoll{5};
// Each pass catches what forked during the one before. A killed process forks no more, so two or three are enough.
constexpr int kKillPasses = 16;

// The directories right below; none when the directory cannot be read, because it is gone.
std::vector<fs::path> children(const fs::path& directory) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code type_error;
    if (entry->is_directory(type_error)) found.push_back(entry->path());
  }
  return found;
}

// Processes of the cgroup and of those below it. Those of another pid namespace are listed as 0 and left out.
void collect_members(const fs::path& directory, std::set<pid_t>& members) {
  for (const fs::path& child : children(directory)) collect_members(child, members);
  std::string text;
  try {
    text = read_file(directory / "cgroup.procs");
  } catch (const SystemError&) {
    return;  // removed meanwhile
  }
  const char* next = text.data();
  const char* const end = text.data() + text.size();
  while (next < end) {
    pid_t pid = 0;
    next = std::from_chars(next, end, pid).ptr;
    if (pid > 0) members.insert(pid);
    next = std::find(next, end, '\n');
    if (next < end) ++next;
  }
}

bool use_cgroup_kill(const std::string& directory) {
  try {
    write_control_file(directory + "/cgroup.kill", "1");  // Linux 5.14
    return true;
  } catch (const SystemError&) {
    return false;
  }
}

void kill_members_one_by_one(const std::string& directory) {
  std::set<pid_t> killed;
  for (int pass = 0; pass < kKillPasses; ++pass) {
    std::set<pid_t> members;
    collect_members(directory, members);
    bool found_new = false;
    for (const pid_t pid : members) {
      kill(pid, SIGKILL);
      found_new |= killed.insert(pid).second;
    }
    if (!found_new) return;
  }
}

// Depth first, because only a cgroup without children can be removed.
bool remove_tree(const fs::path& directory) {
  for (const fs::path& child : children(directory)) {
    if (!remove_tree(child)) return false;
  }
  return rmdir(directory.c_str()) == 0 || errno == ENOENT;
}

void set_limit(const CgroupRoot& root, const std::string& directory, std::uint64_t limit_bytes) {
  const std::string value = std::to_string(limit_bytes);
  if (root.version == 1) {
    write_control_file(directory + "/memory.limit_in_bytes", value);
    return;
  }
  write_control_file(directory + "/memory.max", value);
  // Swap would take the ballast away instead of letting a charge fail. Absent without swap accounting.
  const std::string swap = directory + "/memory.swap.max";
  if (access(swap.c_str(), F_OK) == 0) write_control_file(swap, "0");
}

}  // namespace

Cgroup Cgroup::create(const CgroupRoot& root, const std::string& name, std::uint64_t limit_bytes) {
  WC_CHECK(root.version == 1 || root.version == 2);
  WC_CHECK(!name.empty() && name.find('/') == std::string::npos);
  const std::string directory = root.directory + "/" + name;
  if (mkdir(directory.c_str(), 0755) != 0) throw_errno("make cgroup " + directory);
  Cgroup made(directory, root.version);
  set_limit(root, directory, limit_bytes);
  return made;
}

Cgroup::Cgroup(Cgroup&& other) noexcept : directory_(std::exchange(other.directory_, {})), version_(other.version_) {}

Cgroup& Cgroup::operator=(Cgroup&& other) noexcept {
  std::swap(directory_, other.directory_);
  std::swap(version_, other.version_);
  return *this;
}

Cgroup::~Cgroup() {
  if (try_remove()) return;
  kill_all();
  const SystemClock clock;
  const SteadyTime give_up = clock.steady() + kRemovalGrace;
  while (!try_remove() && clock.steady() < give_up) std::this_thread::sleep_for(kRemovalPoll);
}

void Cgroup::kill_all() const {
  if (directory_.empty()) return;
  if (version_ == 2 && use_cgroup_kill(directory_)) return;
  kill_members_one_by_one(directory_);
}

bool Cgroup::try_remove() {
  if (!directory_.empty() && !remove_tree(directory_)) return false;
  directory_.clear();
  return true;
}

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

std::vector<std::string> remove_leftover_cgroups(const CgroupRoot& root, std::string_view prefix) {
  if (root.version == 0) return {};
  std::vector<std::string> left;
  for (const fs::path& child : children(root.directory)) {
    if (std::string name = child.filename(); name.starts_with(prefix)) left.push_back(std::move(name));
  }
  std::ranges::sort(left);
  const auto directory_of = [&root](const std::string& name) { return root.directory + "/" + name; };
  for (const std::string& name : left) {
    if (root.version == 1 || !use_cgroup_kill(directory_of(name))) kill_members_one_by_one(directory_of(name));
  }
  const SystemClock clock;
  const SteadyTime give_up = clock.steady() + kRemovalGrace;
  for (;;) {
    std::erase_if(left, [&](const std::string& name) { return remove_tree(directory_of(name)); });
    if (left.empty() || clock.steady() >= give_up) return left;
    std::this_thread::sleep_for(kRemovalPoll);
  }
}

void remove_empty_cgroups(const CgroupRoot& root, const std::function<bool(const std::string& name)>& wanted) {
  if (root.version == 0) return;
  for (const fs::path& child : children(root.directory)) {
    if (wanted(child.filename())) remove_tree(child);
  }
}

}  // namespace writecanary
