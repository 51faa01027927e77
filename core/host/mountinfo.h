// /proc/self/mountinfo: which filesystem a path is on, without touching that filesystem.
//
// A sick filesystem hangs whoever opens or stats a path on it, so the daemon asks only here. Symbolic links are not
// followed for that reason: give real paths.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace writecanary {

struct Mount {
  std::string device;       // "major:minor"
  std::string mount_point;  // unescaped
  std::string options;      // per-mount and superblock options, comma separated, without repetition
  std::string type;
  std::string source;
  std::string root = "/";  // the directory of that filesystem that is seen at mount_point, unescaped
};

// Text of /proc/self/mountinfo; lines that cannot be read are left out.
std::vector<Mount> parse_mountinfo(std::string_view text);
// Reads the given file. Throws SystemError.
std::vector<Mount> read_mountinfo(const std::string& file = "/proc/self/mountinfo");
// The mount that holds the absolute path: the longest mount point that is a prefix, the last one mounted there.
std::optional<Mount> find_mount(const std::vector<Mount>& mounts, std::string_view path);
// Whether the absolute path is `directory` or below it, as the texts say. Neither ends in a slash, but for "/" itself.
bool is_within(std::string_view path, std::string_view directory);

}  // namespace writecanary
