// After findings: the same run again, as it is and in the profile's variants, to say how surely it shows and what
// avoids it here (core/run/attribution.h).
//
// Bounded in writes and seconds, and silent: its findings are counted, not reported.
#pragma once

#include <atomic>

#include "core/base/clock.h"
#include "probe/run/profile.h"
#include "probe/run/workspace.h"
#include "probe/trap/pressure.h"

namespace writecanary::probe {

// Repeats `spec` with the same seed and options in the workspace of the run that found something. Stops early when
// `stop` is set or time is up; what cannot run or fails is left out.
Attribution repeat_in_variants(const RunSpec& spec, const Profile& profile, Workspace& workspace, Pressure& pressure,
                               const Clock& clock, const std::atomic<bool>& stop);

}  // namespace writecanary::probe
