#include "core/report/replay.h"

#include <fmt/format.h>

#include "core/text/shell.h"

namespace writecanary {
namespace {

// What `check` takes by itself: without and with a number of writes.
constexpr std::uint64_t kDurationMs = 10'000;
constexpr std::uint64_t kWritesDurationMs = 120'000;

// As parse_size reads it back exactly.
std::string size_argument(std::uint64_t bytes) {
  constexpr std::uint64_t kMiB = 1ULL << 20;
  return bytes % kMiB == 0 ? fmt::format("{}MiB", bytes / kMiB) : std::to_string(bytes);
}

}  // namespace

std::string replay_command(const RunSpec& spec, std::uint64_t writes_made) {
  const std::uint64_t writes = spec.writes_max > 0 ? spec.writes_max : writes_made;
  std::string text = fmt::format("writecanary check {} --profile {} --seed {}", shell_word(spec.path),
                                 shell_word(spec.profile), spec.seed);
  if (writes > 0) text += fmt::format(" --writes {}", writes);
  text += " --memory " + size_argument(spec.memory_bytes);
  if (spec.classic) text += " --classic";
  // Beside a number of writes, bytes are what was left of a daily budget.
  if (spec.bytes_max > 0 && writes == 0) text += " --bytes " + size_argument(spec.bytes_max);
  // A number of writes takes as long as it takes; only a longer limit than the default matters.
  const bool longer = writes > 0 ? spec.duration_ms > kWritesDurationMs : spec.duration_ms != kDurationMs;
  if (longer && spec.duration_ms > 0) text += fmt::format(" --duration {}ms", spec.duration_ms);
  for (const auto& [name, value] : spec.options) text += fmt::format(" --option {}={}", shell_word(name), value);
  return text;
}

}  // namespace writecanary
