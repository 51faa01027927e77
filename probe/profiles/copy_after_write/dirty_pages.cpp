#include "probe/profiles/copy_after_write/dirty_pages.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "probe/access/range_state.h"

namespace writecanary::probe {
namespace {

// The dirty kilobytes of the mapping that begins there.
std::uint64_t dirty_kilobytes_at(const void* address) {
  std::istringstream lines(read_file("/proc/self/smaps"));
  const std::string wanted = fmt::format("{:x}-", reinterpret_cast<std::uintptr_t>(address));
  std::uint64_t dirty = 0;
  bool here = false;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t dash = line.find('-');
    if (dash != std::string::npos && line.find(':') > dash) here = line.starts_with(wanted);
    std::istringstream fields(line);
    std::string key;
    std::uint64_t value = 0;
    if (here && fields >> key >> value && (key == "Shared_Dirty:" || key == "Private_Dirty:")) dirty += value;
  }
  return dirty;
}

bool ask_smaps(int fd, const FileRange& written) {
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const std::uint64_t offset = written.offset / page * page;
  void* mapping = mmap(nullptr, page, PROT_READ, MAP_SHARED, fd, static_cast<off_t>(offset));
  if (mapping == MAP_FAILED) return false;
  char byte = 0;
  const iovec to{&byte, 1}, from{mapping, 1};
  bool dirty = false;
  try {
    dirty = process_vm_readv(getpid(), &to, 1, &from, 1, 0) == 1 && dirty_kilobytes_at(mapping) != 0;
  } catch (const SystemError&) {  // no /proc here: unknown
  }
  munmap(mapping, page);
  return dirty;
}

}  // namespace

bool has_dirty_pages(int fd, const FileRange& written, const std::string& filesystem) {
  if (const auto pages = cached_pages(fd, {})) return pages->dirty != 0;
  // Its pages are called dirty for as long as they live, and are never written back.
  if (filesystem == "tmpfs" || filesystem == "ramfs" || written.length == 0) return false;
  return ask_smaps(fd, written);
}

}  // namespace writecanary::probe
