#include "probe/verify/cold/below_cache.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/base/error.h"
#include "core/base/fd.h"

namespace writecanary::probe {
namespace {

constexpr std::string_view kLoop = "/dev/loop";
constexpr std::array<std::string_view, 10> kServed = {"9p",  "afs",  "ceph", "cifs",     "fuseblk",
                                                      "nfs", "nfs4", "smb3", "virtiofs", "fuse"};

bool loop_is_buffered(const std::string& source, const std::string& sysfs) {
  try {
    return read_file(sysfs + "/block/" + source.substr(source.rfind('/') + 1) + "/loop/dio").starts_with('0');
  } catch (const SystemError&) {  // no loop device after all
    return false;
  }
}

}  // namespace

std::string below_cache(const FilesystemFacts& filesystem, const std::string& sysfs) {
  if (filesystem.type == "zfs") return "the ARC of zfs";
  if (filesystem.type.starts_with("fuse.") || std::ranges::find(kServed, filesystem.type) != kServed.end()) {
    return "the server of " + filesystem.type;
  }
  if (filesystem.source.starts_with(kLoop) && loop_is_buffered(filesystem.source, sysfs)) {
    return filesystem.source + ", which reads and writes through the page cache of the file behind it";
  }
  return "";
}

}  // namespace writecanary::probe
