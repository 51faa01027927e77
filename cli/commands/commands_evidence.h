// The commands that work on kept evidence and on the probe itself. They need no daemon. Each prints its result to
// environment.out and returns the exit code; failures are CommandError, SystemError or ProtocolError.
#pragma once

#include <functional>
#include <string>

#include "cli/terminal/environment.h"
#include "core/run/verdict.h"

namespace CLI {
class App;
}

namespace writecanary::cli {

// Judges a kept file again; `path` is the file or its evidence. Exit codes as `check`: 0 nothing is wrong with it,
// 2 corruption, 6 a violation.
int explain_file(const Environment& environment, const std::string& path, FailOn fail_on, bool json);

// Runs the plan of the evidence again, on `path` unless that is empty, and says whether a finding of the same kind came
// of it. Exit codes as `check`.
int replay(const Environment& environment, const std::string& evidence, const std::string& path, FailOn fail_on,
           bool json);

// Prints one C file that shows what the evidence is of. Throws UsageError when there can be none.
int reproducer_of_evidence(const Environment& environment, const std::string& evidence);

// 0: every detector found what it is for and was silent on clean data. 5: not so.
int self_test(const Environment& environment, bool json);

// Adds explain, replay and self-test; when one was typed, `chosen` becomes what it does. All arguments must outlive the
// parsing.
void add_evidence(CLI::App& app, const Environment& environment, std::function<int()>& chosen);

}  // namespace writecanary::cli
