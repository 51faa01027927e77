// Everything that `at-risk` found out, and its two forms.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/at_risk/daemon_view.h"
#include "cli/at_risk/risk.h"
#include "cli/at_risk/watch.h"
#include "cli/terminal/environment.h"
#include "core/run/run_result.h"

namespace writecanary::cli {

struct AtRiskAnswer {
  KernelFacts kernel;
  std::string path = {};                 // that was asked about, as text; empty: none
  std::optional<Mount> filesystem = {};  // of the path
  std::vector<IssueMatch> issues = {};   // of the kernel, there or anywhere
  std::size_t processes = 0;             // that were looked at
  Risk risk = {};
  std::vector<Unreadable> unreadable = {};
  DaemonView daemon = {};
  std::optional<Watched> watched = {};
};

// What can never be known from outside, a sentence each.
const std::vector<std::string>& never_known();

nlohmann::json to_document(const AtRiskAnswer& answer);
void print_answer(const Environment& environment, const AtRiskAnswer& answer);

}  // namespace writecanary::cli
