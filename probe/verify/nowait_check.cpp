#include "probe/verify/nowait_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"

namespace writecanary::probe {

std::optional<Finding> check_nowait(const WriteRef& write, std::uint64_t size_before, std::uint64_t size_after,
                                    std::uint64_t page_bytes) {
  const auto reported = static_cast<std::uint64_t>(std::max<std::int64_t>(write.result, 0));
  const std::uint64_t grown = size_after - size_before;
  if (grown == reported) return std::nullopt;
  Finding finding;
  finding.kind = FindingKind::kNowaitContract;
  finding.offset_bytes = size_before + std::min(reported, grown);
  finding.length_bytes = std::max(reported, grown) - std::min(reported, grown);
  finding.page_aligned = finding.offset_bytes % page_bytes == 0;
  finding.write = write;
  finding.detail =
      fmt::format("pwritev2(RWF_NOWAIT) of {} bytes returned {}, but the file grew by {} bytes", write.length_bytes,
                  write.result < 0 ? error_text(static_cast<int>(-write.result)) : std::to_string(write.result), grown);
  return finding;
}

}  // namespace writecanary::probe
