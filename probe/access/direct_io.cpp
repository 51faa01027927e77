#include "probe/access/direct_io.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "core/base/error.h"
#include "core/base/retried.h"
#include "probe/access/direct_alignment.h"
#include "probe/access/mapped_access.h"
#include "probe/run/run_file.h"
#include "probe/verify/cold/range_eviction.h"

namespace writecanary::probe {
namespace {

// A new file's descriptor, open with O_DIRECT.
bool passes_cache_by(int scratch, std::uint64_t alignment) {
  const std::uint64_t length = 16 * alignment;
  if (retried([&] { return ftruncate(scratch, static_cast<off_t>(length)); }) != 0) throw_errno("truncate scratch");
  const Mapped mapped(scratch, 0, length);
  std::vector<std::byte> loaded(length);
  if (mapped.load(loaded) != length) return false;
  void* memory = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw_errno("map memory");
  const ssize_t returned = pwrite(scratch, memory, length, 0);
  const int error = errno;
  munmap(memory, length);
  if (returned < 0) throw SystemError("direct write to scratch", error);
  return resident_pages(scratch, 0, length) == 0;
}

}  // namespace

std::optional<DirectIo> try_direct_io(const Workspace& workspace, Unsupported& refused) {
  constexpr char kScratch[] = "scratch";
  const std::string& type = workspace.filesystem().type;
  const RunFile scratch(workspace, kScratch, 0);
  Fd direct;
  try {
    direct = workspace.open(kScratch, O_RDWR | O_DIRECT);
  } catch (const SystemError& error) {
    if (error.error_number() != EINVAL) throw;
    refused.reason = fmt::format("{}: {} has no direct I/O", error.what(), type);
    return std::nullopt;
  }
  DirectIo made;
  made.alignment = direct_alignment(direct.get());
  if (made.alignment == 0) {
    refused.reason = type + " has no direct I/O (statx says so)";
    return std::nullopt;
  }
  made.passes_cache_by = passes_cache_by(direct.get(), made.alignment);
  return made;
}

}  // namespace writecanary::probe
