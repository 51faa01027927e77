// One probe run for `check`: in a cgroup of its own, followed to its end, stopped by Ctrl-C or by its deadline.
//
// The verdict comes from the probe's `run_end` alone. A probe that ends without one is `error`, one that cannot be
// killed is `stuck`. Which runs to make and how to show them is check.h.
#pragma once

#include <string>

#include "cli/terminal/interrupts.h"
#include "cli/terminal/progress_bar.h"
#include "core/base/clock.h"
#include "core/host/cgroup.h"
#include "core/run/run_result.h"
#include "core/run/run_spec.h"

namespace writecanary::cli {

// Starts `program` with the spec, inside the cgroup unless that is null, and blocks until the run has ended. What the
// probe says on stderr goes to progress.note(). Throws SystemError when the probe cannot be started.
// A stuck probe is left behind in its cgroup, which is then released.
RunResult run_probe(const std::string& program, const RunSpec& spec, Cgroup* cgroup, Interrupts& interrupts,
                    ProgressBar& progress, const Clock& clock);

}  // namespace writecanary::cli
