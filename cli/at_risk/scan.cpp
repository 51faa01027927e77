#include "cli/at_risk/scan.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <filesystem>
#include <map>
#include <memory>
#include <system_error>

#include "cli/at_risk/fdinfo.h"
#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/system_text.h"

namespace writecanary::cli {
namespace {

using Mounts = std::vector<Mount>;

constexpr std::string_view kRing = "anon_inode:[io_uring]";

// Names in a directory of /proc that are numbers, in order. Throws SystemError.
std::vector<int> numbers_in(const std::string& directory) {
  std::error_code error;
  std::filesystem::directory_iterator entries(directory, error);
  std::vector<int> numbers;
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    int value = 0;
    const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), value);
    if (bad == std::errc{} && end == name.data() + name.size()) numbers.push_back(value);
  }
  if (error) throw SystemError("list " + directory, error.value());
  std::ranges::sort(numbers);
  return numbers;
}

// The bytes of a link; empty when it cannot be read.
std::string link_of(const std::string& path) {
  std::string bytes(PATH_MAX, '\0');
  const ssize_t length = readlink(path.c_str(), bytes.data(), bytes.size());
  bytes.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return bytes;
}

// The text of a file of /proc; empty when it cannot be read.
std::string text_of(const std::string& path) {
  try {
    return read_file(path);
  } catch (const SystemError&) {
    return {};
  }
}

std::string name_of(const std::string& directory) {
  std::string name = text_of(directory + "/comm");
  if (name.ends_with('\n')) name.pop_back();
  return system_name(name);
}

Process process_in(const std::string& directory, int pid) {
  return {pid, name_of(directory), owner_of(text_of(directory + "/cgroup"))};
}

// Tables of mounts, one for each mount namespace.
class MountTables {
 public:
  explicit MountTables(std::string proc) : proc_(std::move(proc)) {}

  const Mounts& of(const std::string& directory) {
    const std::string space = link_of(directory + "/ns/mnt");
    const auto known = tables_.find(space);
    if (known != tables_.end() && !space.empty()) return known->second;
    const std::string text = text_of(directory + "/mountinfo");
    return tables_[space] = parse_mountinfo(text.empty() ? text_of(proc_ + "/self/mountinfo") : text);
  }

 private:
  std::string proc_;
  std::map<std::string, Mounts> tables_;
};

struct Threads {
  std::size_t workers = 0;  // iou-wrk-PID
  std::size_t pollers = 0;  // iou-sqp-PID
};

Threads threads_of(const std::string& directory) {
  Threads threads;
  for (const int tid : numbers_in(directory + "/task")) {
    const std::string name = name_of(fmt::format("{}/task/{}", directory, tid));
    if (name.starts_with("iou-wrk-")) ++threads.workers;
    if (name.starts_with("iou-sqp-")) ++threads.pollers;
  }
  return threads;
}

// A registered file is listed by its path, or by the last part of that.
bool is_open(const std::string& registered, const std::map<int, std::string>& links) {
  return std::ranges::any_of(links, [&](const auto& link) {
    const std::string& path = link.second;
    return path == registered || (registered.find('/') == std::string::npos && path.ends_with("/" + registered));
  });
}

std::optional<AppendFile> append_behind(const std::string& directory, int fd, const std::string& link,
                                        MountTables& tables) {
  if (!link.starts_with('/')) return std::nullopt;
  const auto info = parse_fdinfo(text_of(fmt::format("{}/fdinfo/{}", directory, fd)));
  if (!info || !info->appends()) return std::nullopt;
  AppendFile file{.path = system_name(link), .fds = {fd}, .is_direct = info->is_direct()};
  const Mounts& mounts = tables.of(directory);
  if (const auto found = std::ranges::find(mounts, info->mount_id, &Mount::id); found != mounts.end()) {
    file.mount = *found;
  }
  return file;
}

void add_append(std::vector<AppendFile>& files, AppendFile file) {
  const auto same = std::ranges::find_if(files, [&](const AppendFile& known) {
    return known.path == file.path && known.is_direct == file.is_direct &&
           (known.mount ? known.mount->id : 0) == (file.mount ? file.mount->id : 0);
  });
  if (same == files.end()) {
    files.push_back(std::move(file));
  } else {
    same->fds.push_back(file.fds.front());
  }
}

// Nothing when it has no ring. Throws SystemError when it cannot be looked at.
std::optional<RingHolder> look_at(const std::string& directory, int pid, MountTables& tables) {
  std::map<int, std::string> links;
  for (const int fd : numbers_in(directory + "/fd")) links[fd] = link_of(fmt::format("{}/fd/{}", directory, fd));
  const auto rings = std::ranges::count_if(links, [](const auto& link) { return link.second == kRing; });
  const Threads threads = threads_of(directory);
  if (rings == 0 && threads.workers + threads.pollers == 0) return std::nullopt;
  RingHolder holder{process_in(directory, pid), static_cast<std::size_t>(rings), threads.workers};
  for (const auto& [fd, link] : links) {
    if (link == kRing) {
      for (const std::string& name : registered_files(text_of(fmt::format("{}/fdinfo/{}", directory, fd)))) {
        if (!is_open(name, links)) holder.closed.push_back(system_name(name));
      }
    } else if (auto file = append_behind(directory, fd, link, tables)) {
      add_append(holder.appends, std::move(*file));
    }
  }
  std::ranges::sort(holder.closed);
  holder.closed.erase(std::ranges::unique(holder.closed).begin(), holder.closed.end());
  return holder;
}

bool is_gone(int error) { return error == ENOENT || error == ESRCH; }

}  // namespace

Scan scan_processes(const std::string& proc) {
  Scan scan;
  MountTables tables(proc);
  for (const int pid : numbers_in(proc)) {
    const std::string directory = fmt::format("{}/{}", proc, pid);
    try {
      if (auto holder = look_at(directory, pid, tables)) scan.holders.push_back(std::move(*holder));
      ++scan.processes;
    } catch (const SystemError& error) {
      if (is_gone(error.error_number())) continue;
      scan.unreadable.push_back({process_in(directory, pid), error_text(error.error_number())});
      ++scan.processes;
    }
  }
  return scan;
}

Process process_of_thread(int tid, const std::string& proc) {
  const std::string directory = fmt::format("{}/{}", proc, tid);
  const std::string status = text_of(directory + "/status");
  constexpr std::string_view kLabel = "\nTgid:\t";
  int pid = tid;
  if (const std::size_t at = status.find(kLabel); at != std::string::npos) {
    std::from_chars(status.data() + at + kLabel.size(), status.data() + status.size(), pid);
  }
  return process_in(fmt::format("{}/{}", proc, pid), pid);
}

std::optional<AppendFile> append_file(int pid, int fd, const std::string& proc) {
  const std::string directory = fmt::format("{}/{}", proc, pid);
  MountTables tables(proc);
  return append_behind(directory, fd, link_of(fmt::format("{}/fd/{}", directory, fd)), tables);
}

}  // namespace writecanary::cli
