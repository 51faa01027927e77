// The report of a run here, ready to be mailed, and what `check --keep-evidence` adds to the evidence of a run with
// findings: report.txt and run.json.
#pragma once

#include <string>

#include "cli/terminal/environment.h"
#include "core/run/profile_info.h"
#include "core/run/run_result.h"
#include "core/run/run_spec.h"

namespace writecanary::cli {

// The report of the run's first finding. There is one.
std::string first_report(const RunSpec& spec, const RunResult& run, const Catalogue& catalogue);

// In the run's evidence directory. Does nothing for a run without findings or without such a directory. A directory
// that cannot be written to is said on environment.err: the result itself is printed all the same.
void keep_report(const Environment& environment, const RunSpec& spec, const RunResult& run, const Catalogue& catalogue);

}  // namespace writecanary::cli
