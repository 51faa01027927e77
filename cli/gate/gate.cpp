#include "cli/gate/gate.h"

#include <nlohmann/json.hpp>

#include "cli/gate/gate_view.h"
#include "core/base/json_text.h"

namespace writecanary::cli {

int gate(const Environment& environment, const GateOptions& options) {
  if (options.question.kernel.empty()) {
    throw UsageError("--kernel: give a regular expression for the release, such as '6[.]12[.]94.*'");
  }
  const GateCase given = gather(Prometheus(options.prometheus, options.token_file), options.question);
  const GateDecision decision = decide(given, options.limits);
  switch (options.format) {
    case OutputFormat::kText:
      print_gate(environment, options, given, decision);
      break;
    case OutputFormat::kJson:
      environment.out << json_text(gate_document(environment, options, given, decision), 2) << '\n';
      break;
    case OutputFormat::kJunit:
      environment.out << junit_text(gate_suite(environment, options, given, decision));
      break;
    case OutputFormat::kTap:
      environment.out << tap_text(gate_suite(environment, options, given, decision));
      break;
  }
  return exit_code(decision.verdict);
}

}  // namespace writecanary::cli
