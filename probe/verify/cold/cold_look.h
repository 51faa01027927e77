// The second stage of verification: the same file read again after it has left the page cache.
//
// The first stage reads what applications read, the page cache. A write that went wrong on its way to the device, or a
// device that returns something else, shows only when the cache is gone. What the cache has wrong and the device right
// shows only before. So a finding says which view was wrong (core/run/finding.h, Views).
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>

#include "core/base/fd.h"
#include "probe/verify/verifier.h"

namespace writecanary::probe {

struct ColdLook {
  std::optional<FileReport> cold;    // read after eviction; nothing when the pages would not go
  std::optional<FileReport> direct;  // read with O_DIRECT; nothing where that is refused or the file is large
  std::string why_not;               // why there is no cold view
};

// The file as O_DIRECT reads it, in memory. No descriptor where the filesystem has no direct I/O, or the file is larger
// than the run may hold in memory. Throws SystemError when reading fails.
Fd read_direct(int fd, std::uint64_t size_bytes);

// Evicts the file (probe/verify/cold/eviction.h) and reads it. Nobody may have it mapped or write to it. Throws
// SystemError when syncing or reading fails.
ColdLook look_cold(int fd, const FileLog& log, Verifier& verifier);

// A look, and what it failed with: then nothing was looked at, and what was found before is still to be reported.
struct LookTried {
  ColdLook look;
  std::exception_ptr failed;
};
LookTried try_look(const std::function<ColdLook()>& look);

// Pure. The findings of all views, each once, with what each view said of it; `hot` comes first.
FileReport merge_views(FileReport hot, const ColdLook& cold);

}  // namespace writecanary::probe
