// Which processes hold an io_uring, and which files they append to: read from /proc, at one moment.
//
// Nothing is opened of the files and nothing is attached to: of each descriptor only its link and its fdinfo are read,
// which touch no filesystem but /proc. Names are text (core/base/system_text.h) from here on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/at_risk/owner.h"
#include "core/host/mountinfo.h"

namespace writecanary::cli {

struct AppendFile {
  std::string path;                 // as its process sees it
  std::vector<int> fds;             // that it is open by
  bool is_direct = false;           // O_DIRECT
  std::optional<Mount> mount = {};  // nothing: it is in no table of mounts, as after umount -l
};

struct Process {
  int pid = 0;
  std::string name;  // comm
  Owner owner = {};
};

struct RingHolder {
  Process process;
  std::size_t rings = 0;    // open descriptors; 0 when only threads of io_uring tell that there is one
  std::size_t workers = 0;  // threads of io-wq at this moment: requests were punted not long ago
  std::vector<AppendFile> appends = {};
  std::vector<std::string> closed = {};  // registered with a ring and not open otherwise: nobody can tell how
};

struct Unreadable {
  Process process;
  std::string why;
};

struct Scan {
  std::size_t processes = 0;
  std::vector<RingHolder> holders = {};
  std::vector<Unreadable> unreadable = {};
};

// Every process of this pid namespace, by number. Who ends meanwhile is left out. Throws SystemError when `proc` cannot
// be listed.
Scan scan_processes(const std::string& proc = "/proc");

// The process of a thread's number, also of one of io-wq. Who is gone is only a number.
Process process_of_thread(int tid, const std::string& proc = "/proc");
// What the process appends to by this descriptor; nothing when it does not append, or is no file.
std::optional<AppendFile> append_file(int pid, int fd, const std::string& proc = "/proc");

}  // namespace writecanary::cli
