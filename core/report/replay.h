// The one command that runs the plan of a run again, as a person types it.
#pragma once

#include <string>

#include "core/run/run_spec.h"

namespace writecanary {

// `writecanary check PATH --profile P --seed S --writes N ...`. `writes_made` bounds a run that had no limit of its
// own but time, 0 when it is not known. Paths are quoted for a POSIX shell.
std::string replay_command(const RunSpec& spec, std::uint64_t writes_made);

}  // namespace writecanary
