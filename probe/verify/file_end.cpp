#include "probe/verify/file_end.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <vector>

#include "core/base/error.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kAcrossBytes = 1000;  // before the end; seldom a multiple of anything
constexpr std::uint64_t kBehindBytes = 20'000;

}  // namespace

std::uint64_t read_behind_end(int fd, const std::string& name, std::uint64_t size_bytes) {
  std::vector<std::byte> bytes(kAcrossBytes + kBehindBytes);
  std::uint64_t behind = 0;
  for (const std::uint64_t before : std::array{std::min(size_bytes, kAcrossBytes), std::uint64_t{0}}) {
    ssize_t got;
    do {
      got = pread(fd, bytes.data(), before + kBehindBytes, static_cast<off_t>(size_bytes - before));
    } while (got < 0 && errno == EINTR);
    if (got < 0) throw_errno("read " + name + " across its end at " + std::to_string(size_bytes));
    behind = std::max(behind, static_cast<std::uint64_t>(got) - std::min(before, static_cast<std::uint64_t>(got)));
  }
  return behind;
}

Finding behind_end(const std::string& file, std::uint64_t end_bytes, std::uint64_t returned_bytes) {
  Finding finding;
  finding.kind = FindingKind::kSizeMismatch;
  finding.file = file;
  finding.offset_bytes = end_bytes;
  finding.length_bytes = returned_bytes;
  finding.page_aligned = end_bytes % static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) == 0;
  finding.detail =
      fmt::format("a read across the end returned {} bytes that lie behind it, at {}", returned_bytes, end_bytes);
  return finding;
}

}  // namespace writecanary::probe
