// A finding as plain text that can be mailed to a kernel list as it is: the versions, what was expected, what was
// found, the command that runs the same plan again, which other ways of writing are safe here, where the evidence is.
//
// Pure: whoever calls it brings the documents.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/run/profile_info.h"
#include "core/run/run_result.h"

namespace writecanary {

struct ReportFacts {
  const Finding& finding;
  const RunResult& run;
  std::string replay;                        // the command
  const ProfileInfo* profile = nullptr;      // null when the probe no longer has it
  const nlohmann::json* evidence = nullptr;  // the document beside the damaged file, null when there is none
  std::string origin = {};                   // which finding of which run this is, for those who can look it up
  std::string evidence_location = {};        // where to get it; empty: nothing was kept
};

// Lines of at most 78 columns, but for commands and what the kernel says.
std::string report_text(const ReportFacts& facts);

}  // namespace writecanary
