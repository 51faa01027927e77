// Values with every field set to something of its own, so that a field that a round trip loses or swaps shows.
#pragma once

#include <limits>

#include "core/run/protocol.h"
#include "core/run/run_result.h"

namespace writecanary {

inline WriteRef sample_write(std::uint64_t first) {
  return {.index = first,
          .writer = static_cast<std::uint32_t>(first + 1),
          .stream_offset_bytes = first + 2,
          .length_bytes = first + 3,
          .route = Route::kPunted,
          .result = -12,
          .inline_bytes = first + 4,
          .disarmed = true,
          .at_us = first + 5};
}

inline Finding sample_finding() {
  return {.kind = FindingKind::kTorn,
          .file = "run-7/a.0",
          .offset_bytes = 4096,
          .length_bytes = 128,
          .source_offset_bytes = 77,
          .page_aligned = true,
          .write = sample_write(10),
          .intruder = sample_write(20),
          .context_offset_bytes = 4032,
          .expected_hex = "00ff",
          .found_hex = "ff00",
          .detail = "write 10 is split by write 20",
          .views = {.hot = Look::kWrong, .cold = Look::kRight, .direct = Look::kNotLooked}};
}

inline RunCounters sample_counters() {
  return {.writes = 1,
          .inline_writes = 2,
          .punted = 3,
          .partial = 4,
          .disarmed = 13,
          .exposures = 5,
          .short_results = 6,
          .cqe_enomem = 7,
          .bytes_written = std::numeric_limits<std::uint64_t>::max(),
          .bytes_verified = 9,
          .files = 10,
          .files_cold = 14,
          .limit_hits = 11,
          .oom_kills = 12};
}

inline FindingTally sample_tally() {
  FindingTally tally;
  tally.add(FindingKind::kTorn, 100);
  tally.add(FindingKind::kTorn, 28);
  tally.add(FindingKind::kStuck, 0);
  return tally;
}

inline FilesystemFacts sample_filesystem() {
  return {.type = "xfs",
          .source = "/dev/sda2",
          .mount_point = "/data",
          .options = "rw,noatime",
          .device = "8:2",
          .uuid = "2f4b6c1e-0000-4000-8000-00000000000a"};
}

inline RunEnd sample_run_end() {
  return {.verdict = Verdict::kCorrupt,
          .reason = "2 findings",
          .counters = sample_counters(),
          .tally = sample_tally(),
          .duration_seconds = 0.1,
          .first_finding_seconds = 1.0 / 3,
          .attribution = {{.variant = Variant::kAsync,
                           .runs = 3,
                           .runs_with_findings = 1,
                           .writes = 60,
                           .exposures = 59,
                           .findings = 2}},
          .filesystem = sample_filesystem()};
}

inline Hello sample_hello() {
  return {.protocol = kProtocolVersion,
          .probe_version = "0.1.0",
          .run_id = "12",
          .profile = "append",
          .seed = std::numeric_limits<std::uint64_t>::max(),
          .kernel = {.release = "6.1.0-47", .version = "#1 SMP", .machine = "x86_64"},
          .filesystem = sample_filesystem(),
          .pressure = {.backend = "cgroup2", .directory = "/sys/fs/cgroup/wc/run-12", .reason = "none"}};
}

}  // namespace writecanary
