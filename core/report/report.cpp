#include "core/report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/base/json_fields.h"
#include "core/base/version.h"
#include "core/report/known_issues.h"
#include "core/report/segment_picture.h"
#include "core/text/hex_dump.h"

namespace writecanary {
namespace {

constexpr std::size_t kColumns = 76;
constexpr std::size_t kLabelColumns = 14;

// Words filled into lines that begin with `first`, and with blanks of the same width from the second on.
std::string filled(const std::string& first, std::string_view text) {
  std::string result = first;
  std::size_t column = first.size();
  bool at_begin = true;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    if (!at_begin && column + 1 + word.size() > kColumns) {
      result += "\n" + std::string(first.size(), ' ');
      column = first.size();
      at_begin = true;
    }
    if (!at_begin) result += ' ', ++column;
    result += word;
    column += word.size();
    at_begin = false;
    text.remove_prefix(std::min(text.size(), word.size() + 1));
  }
  return result + "\n";
}

std::string line(std::string_view label, const std::string& text) {
  return text.empty() ? "" : filled(fmt::format("{:<{}}", fmt::format("{}:", label), kLabelColumns), text);
}

std::string place(std::uint64_t offset_bytes) { return fmt::format("{} ({:#x})", offset_bytes, offset_bytes); }

// A part of the evidence document, null when it is not there.
nlohmann::json part_of(const ReportFacts& facts, const char* name) {
  if (facts.evidence == nullptr) return {};
  const auto parts = facts.evidence->find("parts");
  return parts == facts.evidence->end() ? nlohmann::json() : parts->value(name, nlohmann::json());
}

std::string write_text(const WriteRef& write) {
  std::string text =
      fmt::format("write {} of writer {}: {} bytes, {}, result {}, stream offset {}", write.index, write.writer,
                  write.length_bytes, to_string(write.route), write.result, place(write.stream_offset_bytes));
  if (write.inline_bytes > 0) text += fmt::format(", file grew by {} in the inline attempt", write.inline_bytes);
  if (write.at_us > 0) text += fmt::format(", {:.6f} s into the run", static_cast<double>(write.at_us) / 1e6);
  return text;
}

std::string heading(const ReportFacts& facts) {
  const Finding& finding = facts.finding;
  const std::string what =
      fmt::format("{} on {}, Linux {}", to_string(finding.kind), facts.run.filesystem.type, facts.run.kernel.release);
  if (finding.file.empty()) return what + "\n\n";  // a process that hangs is in no file
  return fmt::format("{}: {} bytes at offset {} of {}\n\n", what, finding.length_bytes, place(finding.offset_bytes),
                     finding.file);
}

std::string where(const Finding& finding) {
  if (finding.file.empty()) return {};
  return fmt::format("{}, offset {}, {} bytes, {}", finding.file, place(finding.offset_bytes), finding.length_bytes,
                     finding.page_aligned ? "page aligned" : "not page aligned");
}

std::string devices_text(const nlohmann::json& devices) {
  std::string text;
  for (const nlohmann::json& device : devices.is_array() ? devices : nlohmann::json::array()) {
    const std::string model = device.value("model", device.value("backing_file", device.value("dm_name", "")));
    text += fmt::format("{}{}{}", text.empty() ? "" : " on ", device.value("name", ""),
                        model.empty() ? "" : fmt::format(" ({})", model));
  }
  return text;
}

std::string versions_section(const ReportFacts& facts) {
  const RunResult& run = facts.run;
  const FilesystemFacts& fs = run.filesystem;
  const nlohmann::json taint = part_of(facts, "taint");
  std::string text =
      line("Kernel", fmt::format("{} {} {}", run.kernel.release, run.kernel.version, run.kernel.machine)) +
      line("Filesystem", fmt::format("{}, mounted on {}", describe(fs), fs.mount_point)) + line("Options", fs.options) +
      line("Devices", devices_text(part_of(facts, "devices")));
  if (taint.is_object()) {
    const std::string letters = taint.value("letters", "");
    text += line("Taint", fmt::format("{} ({})", taint.value("flags", 0U), letters.empty() ? "none" : letters));
  }
  text += line("Cgroup", run.pressure.backend + (run.pressure.reason.empty() ? "" : ": " + run.pressure.reason)) +
          line("Tool", fmt::format("writecanary {} ({})", kVersion, kRevision));
  for (const IssueMatch& match : match_issues(identify_kernel(run.kernel), fs.type)) {
    const auto& kinds = match.issue->kinds;
    const bool looks_like_it = std::ranges::find(kinds, facts.finding.kind) != kinds.end();
    if (looks_like_it) text += line("Known issue", match.text);
  }
  return text;
}

std::string expected_section(const ReportFacts& facts) {
  std::string text = line("Profile", facts.run.profile);
  if (facts.profile == nullptr) return text;
  return text + line("Workload", facts.profile->description) + line("Must hold", facts.profile->oracle);
}

std::string found_section(const ReportFacts& facts) {
  const Finding& finding = facts.finding;
  std::string text = line("Kind", fmt::format("{} ({}): {}", to_string(finding.kind), to_string(class_of(finding.kind)),
                                              describe(finding.kind))) +
                     line("Detail", finding.detail) + line("Place", where(finding));
  if (const std::string views = describe(finding.views); !views.empty()) text += line("Views", views);
  if (finding.source_offset_bytes) text += line("Belongs to", "offset " + place(*finding.source_offset_bytes));
  if (finding.write) text += line("Write", write_text(*finding.write));
  if (finding.intruder) text += line("Intruder", write_text(*finding.intruder));
  const nlohmann::json segments = part_of(facts, "segments");
  if (segments.is_object()) {
    const std::string picture =
        segment_picture(segments.value("items", nlohmann::json()), finding.offset_bytes, finding.length_bytes);
    if (!picture.empty()) text += "\nWhat stands where:\n\n" + picture;
  }
  const auto dump = side_by_side(finding.context_offset_bytes, finding.expected_hex, finding.found_hex);
  return dump.empty() ? text : text + "\nAround the first wrong byte:\n\n" + dump;
}

std::string run_section(const ReportFacts& facts) {
  const RunCounters& counters = facts.run.end.counters;
  std::string text =
      line("Run", facts.origin) +
      line("Verdict", fmt::format("{}: {}", to_string(facts.run.end.verdict), facts.run.end.reason)) +
      line("Counted",
           fmt::format("{} writes ({} inline, {} punted, {} partial, {} disarmed), {} exposures, {} short results",
                       counters.writes, counters.inline_writes, counters.punted, counters.partial, counters.disarmed,
                       counters.exposures, counters.short_results)) +
      line("Bytes", fmt::format("{} written, {} verified, in {} files", counters.bytes_written, counters.bytes_verified,
                                counters.files));
  for (const FindingKind kind : kAllFindingKinds) {
    if (const auto count = facts.run.end.tally.count_of(kind)) {
      text +=
          line("Findings", fmt::format("{} {}, {} bytes", count, to_string(kind), facts.run.end.tally.bytes_of(kind)));
    }
  }
  return text;
}

std::string variants_section(const Attribution& attribution) {
  if (attribution.empty()) return {};
  std::string text = "Repeated with the same seed, and in other ways of writing, in the same place:\n\n";
  text += fmt::format("  {:<30} {:>4} {:>13} {:>7} {:>8} {:>9}\n", "variant", "runs", "with findings", "writes",
                      "exposed", "findings");
  for (const VariantRate& rate : attribution) {
    text += fmt::format("  {:<30} {:>4} {:>13} {:>7} {:>8} {:>9}\n", describe(rate.variant), rate.runs,
                        rate.runs_with_findings, rate.writes, rate.exposures, rate.findings);
  }
  return text + "\n";
}

std::string evidence_section(const ReportFacts& facts) {
  if (facts.evidence_location.empty()) return "";
  std::string text = line("Evidence", facts.evidence_location);
  if (facts.evidence == nullptr) return text;
  const nlohmann::json file = facts.evidence->value("file", nlohmann::json());
  if (file.is_object()) {
    text += line("Damaged file",
                 fmt::format("{}, {} of {} bytes, sha256 {}", file.value("name", ""), file.value("kept_bytes", 0ULL),
                             file.value("size_bytes", 0ULL), file.value("sha256", "")));
  }
  return text;
}

}  // namespace

std::string report_text(const ReportFacts& facts) {
  std::string text = heading(facts) + versions_section(facts) + "\n" + expected_section(facts) + "\n" +
                     found_section(facts) + "\n" + run_section(facts) + "\n";
  text += "To run the same plan again:\n\n  " + facts.replay + "\n\n";
  return text + variants_section(facts.run.end.attribution) + evidence_section(facts);
}

}  // namespace writecanary
