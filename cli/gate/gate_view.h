// The gate's decision for people, for programs and for CI systems.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "cli/gate/gate.h"
#include "cli/terminal/test_report.h"

namespace writecanary::cli {

nlohmann::json gate_document(const Environment& environment, const GateOptions& options, const GateCase& given,
                             const GateDecision& decision);
void print_gate(const Environment& environment, const GateOptions& options, const GateCase& given,
                const GateDecision& decision);
// One case for each detector, and one for what concerns all of them. A required one whose evidence does not suffice is
// an error and not skipped: a reader of the report must not take it for a pass.
TestSuite gate_suite(const Environment& environment, const GateOptions& options, const GateCase& given,
                     const GateDecision& decision);

}  // namespace writecanary::cli
