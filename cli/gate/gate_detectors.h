// The gate's evidence, detector by detector: which are required, whether each was exposed enough, and what its findings
// come to. Pure.
#pragma once

#include <string>
#include <vector>

#include "cli/gate/gate_decision.h"

namespace writecanary::cli {

// Every detector that is required or known, here or on the release to compare with; required ones first, by name.
std::vector<GateDetectorDecision> judge_detectors(const GateCase& given, const GateLimits& limits);

// "1 host", "2,000 exposures".
std::string counted(std::uint64_t count, const std::string& noun);

}  // namespace writecanary::cli
