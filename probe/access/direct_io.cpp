#include "probe/access/direct_io.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/error.h"
#include "probe/run/run_file.h"
#include "probe/trap/held_call.h"
#include "probe/verify/cold/range_eviction.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kDirectAlignmentGuess = 4096;  // where statx does not know (before 6.1, FUSE)
constexpr char kScratch[] = "scratch";

}  // namespace

std::optional<std::uint64_t> direct_alignment(const Workspace& workspace, Unsupported& refused) {
  const RunFile scratch(workspace, kScratch, 0);
  Fd direct;
  try {
    direct = workspace.open(kScratch, O_RDWR | O_DIRECT);
  } catch (const SystemError& error) {
    if (error.error_number() != EINVAL) throw;
    refused.reason = std::string(error.what()) + ": " + workspace.filesystem().type + " has no direct I/O";
    return std::nullopt;
  }
  struct statx facts {};
  if (statx(direct.get(), "", AT_EMPTY_PATH, STATX_DIOALIGN, &facts) != 0 || (facts.stx_mask & STATX_DIOALIGN) == 0) {
    return kDirectAlignmentGuess;
  }
  const std::uint64_t alignment = std::max<std::uint64_t>(facts.stx_dio_offset_align, facts.stx_dio_mem_align);
  if (alignment != 0) return alignment;
  refused.reason = workspace.filesystem().type + " has no direct I/O (statx says so)";
  return std::nullopt;
}

bool passes_cache_by(const Workspace& workspace, WithheldMemory& memory, std::uint64_t unit_bytes) {
  constexpr int kTries = 3;  // a busy machine may not hold the first one
  const RunFile scratch(workspace, kScratch, 0);
  const std::uint64_t begin = kChunkBytesMax - 3 * unit_bytes, bytes = 6 * unit_bytes;
  if (ftruncate(scratch.fd(), static_cast<off_t>(begin + bytes)) != 0) throw_errno("truncate scratch");
  const Fd direct = workspace.open(kScratch, O_WRONLY | O_DIRECT);
  const auto resident = [&] { return resident_pages(scratch.fd(), kScratch, begin, bytes); };
  for (int i = 0; i < kTries && memory.refusal().empty(); ++i) {
    const auto source = memory.fill(std::vector<std::byte>(bytes, std::byte{'d'}), 0, bytes - unit_bytes);
    std::uint64_t copied = 0;
    const HeldOutcome outcome = hold(
        memory,
        [&] {
          const ssize_t returned = pwrite(direct.get(), source.data(), source.size(), static_cast<off_t>(begin));
          return returned < 0 ? -errno : returned;
        },
        [&] { copied = resident(); });
    if (outcome.result < 0) throw SystemError("direct write to scratch", static_cast<int>(-outcome.result));
    if (outcome.held()) return copied == 0 && resident() == 0;
  }
  return false;
}

}  // namespace writecanary::probe
