#include "probe/verify/cold/cold_look.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/base/aligned.h"
#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/limits.h"
#include "probe/verify/cold/eviction.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kDirectBytesMax = 16ULL << 20;  // the copy is charged to the run
constexpr std::size_t kDirectPiece = std::size_t{1} << 20;
constexpr std::size_t kDirectAlignment = 4096;

bool is_same(const Finding& a, const Finding& b) {
  return a.kind == b.kind && a.offset_bytes == b.offset_bytes && a.length_bytes == b.length_bytes;
}

Look look_of(const std::optional<FileReport>& report, const Finding& finding) {
  if (!report) return Look::kNotLooked;
  const bool wrong = std::ranges::any_of(report->findings, [&](const Finding& one) { return is_same(one, finding); });
  return wrong ? Look::kWrong : Look::kRight;
}

}  // namespace

Fd read_direct(int fd, std::uint64_t size_bytes) {
  if (size_bytes > kDirectBytesMax) return {};
  Fd source(open(fmt::format("/proc/self/fd/{}", fd).c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  if (!source) return {};
  Fd copy(memfd_create("direct", MFD_CLOEXEC));
  if (!copy) throw_errno("memfd_create");
  const AlignedBuffer<char> piece(kDirectAlignment, kDirectPiece);
  for (std::uint64_t offset = 0; offset < size_bytes;) {
    // Not beyond the last block: preallocation behind the end that is still delayed makes XFS answer EIO (6.18,
    // iomap_dio_iter(): IOMAP_DELALLOC).
    const std::uint64_t left = (size_bytes - offset + kDirectAlignment - 1) / kDirectAlignment * kDirectAlignment;
    const std::size_t wanted = std::min<std::uint64_t>(kDirectPiece, left);
    const ssize_t got = pread(source.get(), piece.span().data(), wanted, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EINVAL) return {};  // opened, but not to be read so
    if (got < 0) throw_errno("read with O_DIRECT");
    if (got == 0) break;
    write_all(copy.get(), {piece.span().data(), static_cast<std::size_t>(got)});
    offset += static_cast<std::uint64_t>(got);
  }
  return copy;
}

ColdLook look_cold(int fd, const FileLog& log, Verifier& verifier) {
  ColdLook look;
  if (const Residency left = evict(fd, log.name); !left.none()) {
    look.why_not = fmt::format("{} of {} pages of {} stay in memory", left.resident, left.pages, log.name);
    return look;
  }
  // O_DIRECT first: the other brings the file back into the page cache.
  if (const Fd copy = read_direct(fd, file_size(fd, log.name))) {
    look.direct = verifier.verify(copy.get(), log, kFindingsPerRun);
  }
  look.cold = verifier.verify(fd, log, kFindingsPerRun);
  return look;
}

LookTried try_look(const std::function<ColdLook()>& look) {
  LookTried tried;
  try {
    tried.look = look();
  } catch (const SystemError& error) {
    tried.failed = std::current_exception();
    tried.look.why_not = error.what();
  }
  return tried;
}

FileReport merge_views(FileReport hot, const ColdLook& cold) {
  const std::optional<FileReport> hot_alone = hot;
  const bool complete = hot.findings.size() == hot.tally.total();  // else nobody can say which are new
  FileReport merged = std::move(hot);
  for (const auto* other : {&cold.cold, &cold.direct}) {
    if (!*other) continue;
    merged.bytes_verified += (*other)->bytes_verified;
    if (!complete) continue;
    for (const Finding& finding : (*other)->findings) {
      const auto known =
          std::ranges::any_of(merged.findings, [&](const Finding& one) { return is_same(one, finding); });
      if (known) continue;
      merged.findings.push_back(finding);
      merged.tally.add(finding.kind, finding.length_bytes);
    }
  }
  for (Finding& finding : merged.findings) {
    finding.views = {look_of(hot_alone, finding), look_of(cold.cold, finding), look_of(cold.direct, finding)};
  }
  return merged;
}

}  // namespace writecanary::probe
