// The verdict of a run from what was counted. Pure: the only place where a verdict is decided.
//
// Nothing is healthy by default: a run is clean only when enough of its writes ran the path that the profile watches
// and every acknowledged byte was right. A run without a usable memory cgroup can at best be unexposed.
#pragma once

#include <optional>
#include <string>

#include "core/run/run_result.h"

namespace writecanary::probe {

// Fewer exposed writes than this say nothing about a kernel, unless fewer were asked for.
inline constexpr std::uint64_t kExposuresForClean = 20;

struct RunFacts {
  RunCounters counters;
  FindingTally tally;
  PressureFacts pressure;
  std::uint64_t writes_asked = 0;          // 0: no number was asked for
  bool pressure_needed = true;             // false when the trigger is another, and for the classic workload
  bool exposures_are_writes = true;        // false when they are reads or copies, of which there may be more
  bool stopped = false;                    // a signal ended it
  std::optional<std::string> unsupported;  // why the workload cannot run here
  std::optional<std::string> error;        // what failed
  std::string exposure_hint;               // why exposures are missing, as far as the profile knows
  std::string note;                        // what was left out because it is refused here
};

struct Judgement {
  Verdict verdict = Verdict::kError;
  std::string reason;  // one or two sentences with the figures that decided
};

Judgement judge(const RunFacts& facts);

}  // namespace writecanary::probe
