#include "probe/run/removal.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string_view>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/host/mountinfo.h"

namespace writecanary::probe {
namespace {

// A run's directory has files, and directories with files. Deeper is nothing of ours.
constexpr int kDepthMax = 8;

bool remove_tree(int directory, const std::string& name, int depth) {
  if (unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT) return true;
  if (errno != EISDIR || depth == kDepthMax) return false;
  const Fd inner{openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (!inner || mount_id(inner.get()) != mount_id(directory)) return false;
  bool all = true;
  for (const std::string& each : names_in(inner.get())) all &= remove_tree(inner.get(), each, depth + 1);
  return all && (unlinkat(directory, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT);
}

}  // namespace

std::vector<std::string> names_in(int directory) {
  // Its own description of the open file: a duplicate would share the place in the directory.
  const int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (again < 0) throw_errno("open a directory again");
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(fdopendir(again), closedir);
  if (!listing) throw_errno("list a directory");
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = readdir(listing.get())) {
    const std::string_view name = static_cast<const char*>(entry->d_name);
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) throw_errno("list a directory");
  return names;
}

bool remove_tree(int directory, const std::string& name) {
  try {
    return remove_tree(directory, name, 0);
  } catch (const SystemError&) {
    return false;
  }
}

}  // namespace writecanary::probe
