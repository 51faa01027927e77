// What the host says of itself, as text that can be shown and stored (core/base/system_text.h): the one place where
// names of the system become facts of a run.
#pragma once

#include <string>

#include "core/host/mountinfo.h"
#include "core/run/run_result.h"

namespace writecanary {

// uname(2). Throw SystemError.
KernelFacts kernel_facts();
std::string host_name();

// What the mount table knows of a filesystem; a UUID is not among it.
FilesystemFacts filesystem_facts(const Mount& mount);

}  // namespace writecanary
