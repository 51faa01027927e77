// /proc/self/mountinfo: which filesystem a path is on, without touching that filesystem.
//
// A sick filesystem hangs whoever opens or stats a path on it, so the daemon asks only here. Symbolic links are not
// followed for that reason: give real paths. Whoever has a file open can ask by that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace writecanary {

struct Mount {
  std::string device;       // "major:minor" of the filesystem: two mounts of one have the same
  std::string mount_point;  // unescaped
  std::string options;      // per-mount and superblock options, comma separated, without repetition
  std::string type;
  std::string source;
  std::string root = "/";  // the directory of that filesystem that is seen at mount_point, unescaped
  std::uint64_t id = 0;
  std::uint64_t parent = 0;  // the id of the mount that this one stands on
};

// A name as the kernel writes it in tables of /proc: blank, tab, newline, '#' and backslash are a backslash with three
// octal digits there. Returns the bytes of the name.
std::string unescape_octal(std::string_view text);
// Text of /proc/self/mountinfo; lines that cannot be read are left out.
std::vector<Mount> parse_mountinfo(std::string_view text);
// Reads the given file. Throws SystemError.
std::vector<Mount> read_mountinfo(const std::string& file = "/proc/self/mountinfo");
// The mount that holds the absolute path, found as the kernel walks it: from the root over every mount that is met on
// the way. What is mounted below another mount that was put over it later is not met.
std::optional<Mount> find_mount(const std::vector<Mount>& mounts, std::string_view path);
// Whether the root of a filesystem is seen at the mount point, as far as the table tells. A bind mount, or a
// container's volume, of a directory is there also while no filesystem is mounted on that directory. Of btrfs, whose
// subvolumes are directories here, and of what servers share, everything is.
bool shows_a_root(const Mount& mount);
// The number of the mount that an open file or directory is on, whatever names lead there (proc_pid_fdinfo(5)). Throws
// SystemError.
std::uint64_t mount_id(int fd);
// That mount; nothing when it is not in the table. Throws SystemError.
std::optional<Mount> find_mount(const std::vector<Mount>& mounts, int fd);
// Whether the absolute path is `directory` or below it, as the texts say. Neither ends in a slash, but for "/" itself.
bool is_within(std::string_view path, std::string_view directory);

}  // namespace writecanary
