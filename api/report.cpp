#include "api/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <string_view>

#include "api/hex_dump.h"
#include "core/run_spec.h"
#include "core/units.h"
#include "core/version.h"

namespace writecanary::api {
namespace {

// The default of `check --duration`; only another one is worth saying.
constexpr std::uint64_t kDefaultDurationMs = 10'000;

std::string line(std::string_view label, const std::string& text) {
  return text.empty() ? "" : fmt::format("{:<14}{}\n", fmt::format("{}:", label), text);
}

std::string place(std::uint64_t offset_bytes) { return fmt::format("{} ({:#x})", offset_bytes, offset_bytes); }

std::string write_text(const WriteRef& write) {
  std::string text =
      fmt::format("write {} of writer {}: {} bytes, {}, result {}, stream offset {}", write.index, write.writer,
                  write.length_bytes, to_string(write.route), write.result, place(write.stream_offset_bytes));
  if (write.inline_bytes > 0) text += fmt::format(", file grew by {} in the inline attempt", write.inline_bytes);
  return text;
}

std::string heading(const storage::FindingRow& row) {
  const Finding& finding = row.finding;
  return fmt::format("{} on {}, kernel {}: {} bytes at offset {} of {}\n\n", to_string(finding.kind), row.fstype,
                     row.kernel_release, finding.length_bytes, place(finding.offset_bytes), finding.file);
}

std::string where_section(const storage::FindingRow& row) {
  const Finding& finding = row.finding;
  std::string text =
      line("Kind", fmt::format("{} ({}): {}", to_string(finding.kind), to_string(class_of(finding.kind)),
                               describe(finding.kind))) +
      line("Detail", finding.detail) +
      line("Place", fmt::format("{}, offset {}, {} bytes, {}", finding.file, place(finding.offset_bytes),
                                finding.length_bytes, finding.page_aligned ? "page aligned" : "not page aligned"));
  if (finding.source_offset_bytes) text += line("Belongs to", "offset " + place(*finding.source_offset_bytes));
  if (finding.write) text += line("Write", write_text(*finding.write));
  if (finding.intruder) text += line("Intruder", write_text(*finding.intruder));
  text += line("Found at", format_timestamp(row.found_at_ms));
  if (row.acknowledged_at_ms) {
    text += line("Acknowledged",
                 fmt::format("{} by {}: {}", format_timestamp(*row.acknowledged_at_ms), row.acknowledged_by, row.note));
  }
  return text;
}

std::string system_section(const storage::RunRow& run) {
  const RunResult& result = run.result;
  const FilesystemFacts& fs = result.filesystem;
  return line("Kernel", fmt::format("{} {} {}", result.kernel.release, result.kernel.version, result.kernel.machine)) +
         line("Filesystem", fmt::format("{}, {} on {}", fs.type, fs.source, fs.mount_point)) +
         line("Options", fs.options) +
         line("Pressure",
              result.pressure.backend + (result.pressure.reason.empty() ? "" : ": " + result.pressure.reason)) +
         line("Tool", fmt::format("writecanary {} ({})", kVersion, kRevision));
}

std::string run_section(const storage::RunRow& run, const ProfileInfo* profile) {
  const RunResult& result = run.result;
  const RunCounters& counters = result.end.counters;
  std::string text = line("Run", fmt::format("{} on target {}, verdict {}", run.id, run.target,
                                             run.verdict ? to_string(*run.verdict) : to_string(run.state))) +
                     line("Reason", result.end.reason) + line("Profile", result.profile);
  if (profile != nullptr) text += line("Workload", profile->description) + line("Must hold", profile->oracle);
  text += line("Counted",
               fmt::format("{} writes ({} inline, {} punted, {} partial, {} disarmed), {} exposures, {} short results",
                           counters.writes, counters.inline_writes, counters.punted, counters.partial,
                           counters.disarmed, counters.exposures, counters.short_results)) +
          line("Bytes", fmt::format("{} written, {} verified, in {} files", counters.bytes_written,
                                    counters.bytes_verified, counters.files));
  for (const FindingKind kind : kAllFindingKinds) {
    if (const auto count = result.end.tally.count_of(kind)) {
      text += line("Findings", fmt::format("{} {}, {} bytes", count, to_string(kind), result.end.tally.bytes_of(kind)));
    }
  }
  return text;
}

std::string shell_word(const std::string& text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("/._-+:=@%").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain) return text;
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// As parse_size reads it back exactly.
std::string size_argument(std::uint64_t bytes) {
  constexpr std::uint64_t kMiB = 1ULL << 20;
  return bytes % kMiB == 0 ? fmt::format("{}MiB", bytes / kMiB) : std::to_string(bytes);
}

std::string replay_section(const storage::RunRow& run) {
  std::string path = run.result.filesystem.mount_point;
  std::uint64_t writes = run.result.end.counters.writes;
  std::string more;
  std::string note;
  const auto spec_json = nlohmann::json::parse(run.spec_json, nullptr, false);
  if (!spec_json.is_discarded()) {
    const auto spec = spec_json.get<RunSpec>();
    path = spec.path;
    if (spec.writes_max > 0) writes = spec.writes_max;
    more = " --memory " + size_argument(spec.memory_bytes);
    if (spec.classic) more += " --classic";
    if (spec.duration_ms != kDefaultDurationMs && spec.duration_ms > 0)
      more += fmt::format(" --duration {}ms", spec.duration_ms);
    for (const auto& [name, value] : spec.options) note += fmt::format(" {}={}", name, value);
  }
  std::string text = "To run the same plan again:\n\n  writecanary check " + shell_word(path) + " --profile " +
                     shell_word(run.result.profile) + fmt::format(" --seed {}", run.result.seed);
  if (writes > 0) text += fmt::format(" --writes {}", writes);
  text += more + "\n";
  if (!note.empty()) text += "\n  with the profile's options" + note + "\n";
  return text;
}

}  // namespace

std::string report_text(const storage::FindingRow& finding, const storage::RunRow& run, const ProfileInfo* profile) {
  std::string text =
      heading(finding) + where_section(finding) + "\n" + system_section(run) + "\n" + run_section(run, profile) + "\n";
  const auto dump =
      side_by_side(finding.finding.context_offset_bytes, finding.finding.expected_hex, finding.finding.found_hex);
  if (!dump.empty()) text += "Around the first wrong byte:\n\n" + dump + "\n";
  return text + replay_section(run);
}

}  // namespace writecanary::api
