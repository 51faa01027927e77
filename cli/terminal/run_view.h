// Runs as people read them: one table, and beneath it what the table has no room for about every run that is not clean.
// The same for `check` here and for runs of a daemon.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/terminal/environment.h"
#include "core/run/protocol.h"
#include "core/run/run_result.h"

namespace writecanary::cli {

// The inverse of run_document(), also of the API's extension of it. Throws ProtocolError that names the field.
RunResult parse_run_document(const nlohmann::json& document);
// The data of a `run.progress` event. Throws ProtocolError.
Progress parse_progress(const nlohmann::json& data);

// "torn 3, missing 1", or "none".
std::string format_counts(const FindingTally& tally);
// One line: kind, file offset, length, source, write and writer.
std::string format_finding(const Finding& finding);

// The verdict that stands for all of them; nothing for none.
std::optional<Verdict> overall_verdict(const std::vector<RunResult>& runs);
// What a command with these runs exits with. There is at least one.
int exit_code_of(const std::vector<RunResult>& runs, FailOn fail_on);

// Prints table, details and the overall verdict to environment.out.
void print_runs(const Environment& environment, const std::vector<RunResult>& runs);

}  // namespace writecanary::cli
