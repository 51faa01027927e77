// `writecanary gate`: may this kernel be promoted, by what the whole fleet has seen of it?
//
// Exit code 0: enough evidence and nothing wrong; 2: corruption; 6: a violation; 3: not enough evidence, which is never
// a pass.
#pragma once

#include <functional>
#include <string>

#include "cli/gate/gate_decision.h"
#include "cli/gate/gate_query.h"
#include "cli/terminal/environment.h"
#include "cli/terminal/output_format.h"

namespace CLI {
class App;
}

namespace writecanary::cli {

struct GateOptions {
  std::string prometheus;
  std::string token_file;
  GateQuestion question;
  GateLimits limits;
  OutputFormat format = OutputFormat::kText;
};

// Prints the decision with its reasons and returns the exit code. Throws CommandError when there is nothing to decide
// on: 1 for a mistake in the question, 5 when Prometheus cannot be asked.
int gate(const Environment& environment, const GateOptions& options);

// Adds the command; when it was typed, `action` becomes what it does. All arguments must outlive the parsing.
void add_gate(CLI::App& app, const Environment& environment, std::function<int()>& action);

}  // namespace writecanary::cli
