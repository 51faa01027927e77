#include "probe/run/judge.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/units.h"

namespace writecanary::probe {
namespace {

// "3 torn, 1 duplicate (131072 bytes)".
std::string list_findings(const FindingTally& tally) {
  std::string text;
  for (const FindingKind kind : kAllFindingKinds) {
    if (tally.count_of(kind) == 0) continue;
    if (!text.empty()) text += ", ";
    text += fmt::format("{} {} ({} bytes)", tally.count_of(kind), to_string(kind), tally.bytes_of(kind));
  }
  return text;
}

std::string exposed_of(const Evidence& evidence) {
  const RunCounters& counters = evidence.counters;
  if (!evidence.exposures_are_writes) {
    return fmt::format("{} exposures with {} writes", counters.exposures, counters.writes);
  }
  std::string text = fmt::format("{} of {} writes were exposed", counters.exposures, counters.writes);
  if (counters.disarmed != 0) text += fmt::format(" ({} came a timer tick too late)", counters.disarmed);
  return text;
}

Judgement without_findings(const Evidence& evidence) {
  const RunCounters& counters = evidence.counters;
  const std::string verified = fmt::format("{} verified, no finding", format_size(counters.bytes_verified));
  if (evidence.stopped) return {Verdict::kStopped, "stopped by a signal: " + exposed_of(evidence) + ", " + verified};
  if (counters.writes == 0 && counters.bytes_verified == 0) {
    return {Verdict::kUnexposed, "no write was made before the limit of time, writes or bytes was reached"};
  }
  if (evidence.pressure_needed && evidence.pressure.backend == "none") {
    return {Verdict::kUnexposed, "no usable memory cgroup, so the trigger cannot be set: " + evidence.pressure.reason};
  }
  const std::uint64_t enough =
      evidence.writes_asked == 0 ? kExposuresForClean : std::min(kExposuresForClean, evidence.writes_asked);
  if (counters.exposures >= enough) {
    std::string reason = exposed_of(evidence) + ", " + verified;
    if (!evidence.note.empty()) reason += "; " + evidence.note;
    return {Verdict::kClean, std::move(reason)};
  }
  std::string reason = fmt::format("{}, and {} are needed for a verdict", exposed_of(evidence), enough);
  if (!evidence.exposure_hint.empty()) reason += ": " + evidence.exposure_hint;
  return {Verdict::kUnexposed, std::move(reason)};
}

}  // namespace

Judgement judge(const Evidence& evidence) {
  if (evidence.tally.total() != 0) {
    std::string reason = list_findings(evidence.tally) + "; " + exposed_of(evidence);
    if (evidence.error) reason += "; it then failed: " + *evidence.error;
    return {Verdict::kCorrupt, std::move(reason)};
  }
  if (evidence.unsupported) return {Verdict::kUnsupported, *evidence.unsupported};
  if (evidence.error) return {Verdict::kError, *evidence.error};
  if (evidence.counters.oom_kills != 0) {
    return {Verdict::kError, fmt::format("the kernel killed {} process(es) of the run for memory, so lost records "
                                         "would prove nothing. Give the run more memory (now the limit of {})",
                                         evidence.counters.oom_kills, evidence.pressure.directory)};
  }
  return without_findings(evidence);
}

}  // namespace writecanary::probe
