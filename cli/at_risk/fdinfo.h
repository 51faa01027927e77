// What /proc/PID/fdinfo says of an open file and of an io_uring. Pure functions: no file is touched here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace writecanary::cli {

struct FdInfo {
  int flags = 0;  // as open(2) takes them
  std::uint64_t mount_id = 0;

  bool appends() const;  // O_APPEND, and not only for reading
  bool is_direct() const;
};

// proc_pid_fdinfo(5). Nothing when flags or mount are missing.
std::optional<FdInfo> parse_fdinfo(std::string_view text);

// The files that are registered with a ring, in the bytes of their names, as its fdinfo lists them: whole paths on
// newer kernels, on older ones (6.1) only the last part of each. Sockets, pipes and empty places are left out. The
// kernel leaves all of them out while the ring is in use.
std::vector<std::string> registered_files(std::string_view ring_fdinfo);

}  // namespace writecanary::cli
