#include <fmt/format.h>

#include <map>

#include "core/host/mountinfo.h"
#include "daemon/config/config.h"

namespace writecanary::daemon {
namespace {

std::string without_trailing_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

// Two targets can be mounts of one filesystem, or directories on it.
void warn_of_one_filesystem(const Config& config, const std::vector<Mount>& mounts, MountIssues& issues) {
  std::map<std::string, std::string> first_on;  // by device
  for (std::size_t i = 0; i < config.targets.size(); ++i) {
    const auto& target = config.targets[i];
    const auto located = locate(target, mounts);
    if (!located.usable || located.mount.device.empty()) continue;
    const auto [first, is_new] = first_on.emplace(located.mount.device, target.name);
    if (is_new) continue;
    issues.warnings.push_back(
        {config.position(fmt::format("target[{}].path", i)),
         fmt::format("targets \"{}\" and \"{}\" are on one filesystem ({} on {}, device {}): their runs go one after "
                     "the other and say the same of it",
                     first->second, target.name, located.mount.type, located.mount.source, located.mount.device)});
  }
}

}  // namespace

TargetMount locate(const TargetConfig& target, const std::vector<Mount>& mounts) {
  TargetMount located;
  const auto path = without_trailing_slash(target.path);
  const auto mount = find_mount(mounts, path);
  if (mount) located.mount = *mount;
  if (target.require_mount && (!mount || mount->mount_point != path)) {
    located.reason =
        fmt::format("target \"{}\": {} is not a mount point (it is on {}). Mount it, or set require_mount = false",
                    target.name, path, mount ? mount->mount_point : "no known filesystem");
  } else if (target.require_mount && !shows_a_root(*mount)) {
    located.reason = fmt::format(
        "target \"{}\": {} is only the directory {} of the filesystem on {} (a bind mount, or a volume of a "
        "container), which is there also while nothing is mounted on it. Mount a filesystem there, or set "
        "require_mount = false",
        target.name, path, mount->root, mount->source);
  } else if (!target.fstype.empty() && (!mount || mount->type != target.fstype)) {
    located.reason =
        fmt::format("target \"{}\": {} is {}, not {}. Mount the filesystem that is meant, or change fstype",
                    target.name, path, mount ? mount->type : "on no known filesystem", target.fstype);
  } else {
    located.usable = true;
  }
  return located;
}

MountIssues check_mounts(const Config& config, const std::vector<Mount>& mounts) {
  MountIssues issues;
  const auto storage_directory = config.state_directory();
  const auto storage_mount = find_mount(mounts, storage_directory);
  for (std::size_t i = 0; i < config.targets.size(); ++i) {
    const auto& target = config.targets[i];
    const auto at = config.position(fmt::format("target[{}].path", i));
    const auto path = without_trailing_slash(target.path);
    const auto located = locate(target, mounts);
    const bool same_mount = located.usable && storage_mount && storage_mount->mount_point == located.mount.mount_point;
    if ((same_mount && target.require_mount) || (path != "/" && is_within(storage_directory, path))) {
      issues.errors.push_back(
          {at, fmt::format("target \"{}\": the results in {} lie on {}, which is tested: a sick filesystem would take "
                           "them along. Set storage.path to another filesystem",
                           target.name, storage_directory, path)});
    } else if (same_mount) {
      issues.warnings.push_back(
          {at, fmt::format("target \"{}\": {} shares the filesystem {} with the results in {}. Fine for a trial; for "
                           "real use test a filesystem of its own",
                           target.name, path, located.mount.mount_point, storage_directory)});
    } else if (!located.usable) {
      issues.warnings.push_back({at, located.reason});
    }
  }
  warn_of_one_filesystem(config, mounts, issues);
  return issues;
}

}  // namespace writecanary::daemon
