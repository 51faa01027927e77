// A finding as plain text that a kernel developer can read as mail: the versions, what was expected, what was found,
// and the command that runs the same plan again.
#pragma once

#include <string>

#include "core/profile_info.h"
#include "storage/records.h"

namespace writecanary::api {

// `profile` is null when this daemon's probe no longer has it.
std::string report_text(const storage::FindingRow& finding, const storage::RunRow& run, const ProfileInfo* profile);

}  // namespace writecanary::api
