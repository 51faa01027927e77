// What the host was like when a file turned out damaged: kernel, memory, and what the kernel said lately.
//
// Each function makes one part of the evidence from /proc, /dev/kmsg and the run's cgroup, and throws SystemError when
// its source cannot be read; whoever collects them keeps the reason. All texts are bounded.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "core/run/run_result.h"

namespace writecanary::probe {

// Release, version, machine, command line.
nlohmann::json kernel_part();
// The taint flags as number and letters (Documentation/admin-guide/tainted-kernels.rst).
nlohmann::json taint_part();
// The newest kernel messages (/dev/kmsg), oldest first, without waiting. They may name other things on this host.
nlohmann::json kernel_log_part();
// Sizes of /proc/meminfo and the limits of dirty memory in /proc/sys/vm.
nlohmann::json memory_part();
// /proc/pressure.
nlohmann::json stall_part();
// Limits, usage and events of the run's cgroup, a text per control file.
nlohmann::json cgroup_part(const PressureFacts& pressure);

}  // namespace writecanary::probe
