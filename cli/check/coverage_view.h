// `writecanary profiles --coverage`: runs profiles here and now, and says what their input covered.
//
// The counting is the probe's (core/run/coverage.h); here it is added up over the runs and shown, with the cells that
// nothing filled.
#pragma once

#include "cli/check/check.h"
#include "cli/terminal/environment.h"

namespace writecanary::cli {

// Returns the exit code: 0 unless a run failed. Throws as check() does.
int show_coverage(const Environment& environment, const CheckOptions& options, bool json);

}  // namespace writecanary::cli
