#include "probe/cold_look.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/fd.h"
#include "core/limits.h"

namespace writecanary::probe {
namespace {

constexpr int kEvictionTries = 3;  // pages that somebody holds for a moment (writeback, a per-CPU list) stay at first
constexpr std::uint64_t kDirectBytesMax = 16ULL << 20;  // the copy is charged to the run
constexpr std::size_t kDirectPiece = std::size_t{1} << 20;
constexpr std::size_t kDirectAlignment = 4096;

std::uint64_t size_of(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0) throw_errno("stat a file that is looked at cold");
  return static_cast<std::uint64_t>(status.st_size);
}

// Pages of the file that are in memory. mincore tells only whoever may write to the file, which the run may.
std::uint64_t resident_pages(int fd, std::uint64_t size) {
  if (size == 0) return 0;
  void* mapping = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (mapping == MAP_FAILED) throw_errno("map a file that is looked at cold");
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> residency((size + page - 1) / page);
  const int result = mincore(mapping, size, residency.data());
  munmap(mapping, size);
  if (result != 0) throw_errno("mincore");
  return static_cast<std::uint64_t>(std::ranges::count_if(residency, [](unsigned char flags) { return flags & 1; }));
}

// Nothing when every page is gone, or why not.
std::string evict(int fd) {
  if (fdatasync(fd) != 0) throw_errno("fdatasync");
  const std::uint64_t size = size_of(fd);
  std::uint64_t left = 0;
  for (int i = 0; i < kEvictionTries; ++i) {
    if (const int error = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED); error != 0) {
      return "posix_fadvise(POSIX_FADV_DONTNEED): " + error_text(error);
    }
    left = resident_pages(fd, size);
    if (left == 0) return "";
  }
  return fmt::format("{} pages of {} bytes stay in memory", left, size);
}

struct Free {
  void operator()(void* memory) const noexcept { std::free(memory); }
};

// The file as O_DIRECT reads it, in memory. No descriptor where the filesystem has no O_DIRECT.
Fd read_direct(int fd, std::uint64_t size) {
  Fd source(open(fmt::format("/proc/self/fd/{}", fd).c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  if (!source) return {};
  Fd copy(memfd_create("direct", MFD_CLOEXEC));
  if (!copy) throw_errno("memfd_create");
  const std::unique_ptr<char, Free> piece(static_cast<char*>(std::aligned_alloc(kDirectAlignment, kDirectPiece)));
  if (!piece) throw std::bad_alloc();
  for (std::uint64_t offset = 0; offset < size;) {
    const ssize_t got = pread(source.get(), piece.get(), kDirectPiece, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EINVAL) return {};  // opened, but not to be read so
    if (got < 0) throw_errno("read with O_DIRECT");
    if (got == 0) break;
    write_all(copy.get(), {piece.get(), static_cast<std::size_t>(got)});
    offset += static_cast<std::uint64_t>(got);
  }
  return copy;
}

bool is_same(const Finding& a, const Finding& b) {
  return a.kind == b.kind && a.offset_bytes == b.offset_bytes && a.length_bytes == b.length_bytes;
}

Look look_of(const std::optional<FileReport>& report, const Finding& finding) {
  if (!report) return Look::kNotLooked;
  const bool wrong = std::ranges::any_of(report->findings, [&](const Finding& one) { return is_same(one, finding); });
  return wrong ? Look::kWrong : Look::kRight;
}

}  // namespace

ColdLook look_cold(int fd, const FileLog& log, Verifier& verifier) {
  ColdLook look;
  look.why_not = evict(fd);
  if (!look.why_not.empty()) return look;
  // O_DIRECT first: the other brings the file back into the page cache.
  if (const std::uint64_t size = size_of(fd); size <= kDirectBytesMax) {
    if (const Fd copy = read_direct(fd, size)) look.direct = verifier.verify(copy.get(), log, kFindingsPerRun);
  }
  look.cold = verifier.verify(fd, log, kFindingsPerRun);
  return look;
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
