// What `check --format junit` and `--format tap` print: one case for each profile.
//
// A run that proved nothing is skipped with its reason, findings are a failure with the report of the first, and a run
// that failed by itself is an error. The verdicts are the runs' own; `fail_on` says what the caller takes as a failure.
#pragma once

#include <string>
#include <vector>

#include "cli/check/check.h"
#include "cli/terminal/test_report.h"

namespace writecanary::cli {

// `runs` are those of the first of `specs`, at least one; what Ctrl-C left out is skipped.
TestSuite check_suite(const Environment& environment, const std::vector<RunSpec>& specs,
                      const std::vector<RunResult>& runs, const Catalogue& catalogue, FailOn fail_on);

}  // namespace writecanary::cli
