// After findings: the same run again, as it is and in the profile's variants, to say how surely it shows and what
// avoids it here (core/attribution.h).
//
// Bounded in writes and seconds, and silent: its findings are counted, not reported.
#pragma once

#include <atomic>

#include "core/clock.h"
#include "probe/pressure.h"
#include "probe/profile.h"
#include "probe/workspace.h"

namespace writecanary::probe {

// Repeats `spec` with the same seed and options in the workspace of the run that found something. Stops early when
// `stop` is set or time is up; what cannot run or fails is left out.
Attribution attribute(const RunSpec& spec, const Profile& profile, Workspace& workspace, Pressure& pressure,
                      const Clock& clock, const std::atomic<bool>& stop);

}  // namespace writecanary::probe
