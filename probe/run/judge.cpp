#include "probe/run/judge.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text/units.h"

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

std::string exposed_of(const RunFacts& facts) {
  const RunCounters& counters = facts.counters;
  if (!facts.exposures_are_writes) {
    return fmt::format("{} exposures with {} writes", counters.exposures, counters.writes);
  }
  std::string text = fmt::format("{} of {} writes were exposed", counters.exposures, counters.writes);
  if (counters.disarmed != 0) text += fmt::format(" ({} came a timer tick too late)", counters.disarmed);
  return text;
}

Judgement without_findings(const RunFacts& facts) {
  const RunCounters& counters = facts.counters;
  const std::string verified = fmt::format("{} verified, no finding", format_size(counters.bytes_verified));
  if (facts.stopped) return {Verdict::kStopped, "stopped by a signal: " + exposed_of(facts) + ", " + verified};
  if (counters.writes == 0 && counters.bytes_verified == 0) {
    return {Verdict::kUnexposed, "no write was made before the limit of time, writes or bytes was reached"};
  }
  if (facts.pressure_needed && facts.pressure.backend == "none") {
    return {Verdict::kUnexposed, "no usable memory cgroup, so the trigger cannot be set: " + facts.pressure.reason};
  }
  const std::uint64_t enough =
      facts.writes_asked == 0 ? kExposuresForClean : std::min(kExposuresForClean, facts.writes_asked);
  if (counters.exposures >= enough) {
    std::string reason = exposed_of(facts) + ", " + verified;
    if (!facts.note.empty()) reason += "; " + facts.note;
    return {Verdict::kClean, std::move(reason)};
  }
  std::string reason = fmt::format("{}, and {} are needed for a verdict", exposed_of(facts), enough);
  if (!facts.exposure_hint.empty()) reason += ": " + facts.exposure_hint;
  return {Verdict::kUnexposed, std::move(reason)};
}

}  // namespace

Judgement judge(const RunFacts& facts) {
  if (const auto found = facts.tally.verdict()) {
    std::string reason = list_findings(facts.tally) + "; " + exposed_of(facts);
    if (facts.error) reason += "; it then failed: " + *facts.error;
    return {*found, std::move(reason)};
  }
  if (facts.unsupported) return {Verdict::kUnsupported, *facts.unsupported};
  if (facts.error) return {Verdict::kError, *facts.error};
  if (facts.counters.oom_kills != 0) {
    return {Verdict::kError, fmt::format("the kernel killed {} process(es) of the run for memory, so lost records "
                                         "would prove nothing. Give the run more memory (now the limit of {})",
                                         facts.counters.oom_kills, facts.pressure.directory)};
  }
  return without_findings(facts);
}

}  // namespace writecanary::probe
