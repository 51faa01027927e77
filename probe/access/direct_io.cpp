#include "probe/access/direct_io.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "core/base/error.h"
#include "core/base/retried.h"
#include "probe/access/direct_alignment.h"
#include "probe/access/mapped_access.h"
#include "probe/run/run_file.h"
#include "probe/verify/cold/range_eviction.h"

namespace writecanary::probe {
namespace {

// A filesystem may write one call buffered that it makes directly at other times: btrfs does when the pages of the
// memory do not come in at once, which a busy machine shows. One that passed by is proof.
constexpr int kTries = 8;

// A new file's descriptor, open with O_DIRECT.
bool passes_cache_by(int scratch, std::uint64_t alignment) {
  const std::uint64_t length = 16 * alignment;
  if (retried([&] { return ftruncate(scratch, static_cast<off_t>(length)); }) != 0) throw_errno("truncate scratch");
  const Mapped mapped(scratch, 0, length);
  std::vector<std::byte> loaded(length);
  const std::unique_ptr<void, decltype(&std::free)> memory(std::aligned_alloc(alignment, length), &std::free);
  if (!memory) throw std::bad_alloc();
  std::memset(memory.get(), 0, length);
  for (int tried = 0; tried < kTries; ++tried) {
    if (mapped.load(loaded) != length) return false;
    if (pwrite(scratch, memory.get(), length, 0) < 0) throw_errno("direct write to scratch");
    if (resident_pages(scratch, 0, length) == 0) return true;
  }
  return false;
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
