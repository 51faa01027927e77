// The child's side of starting a process, between fork and exec.
//
// The parent has threads, any of which may hold the lock of the allocator or of a stream at the moment of fork; so
// everything here is async-signal-safe (signal-safety(7)) and all memory is prepared by the parent. For
// core/process/probe_process.cpp alone.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>

namespace writecanary {

enum class ChildStep : std::uint8_t { kProcessGroup, kParentDeath, kSignals, kEnterCgroup, kDescriptors, kExec };

// "enter cgroup", "exec": for the parent's error.
std::string_view describe(ChildStep step);

struct ChildFailure {
  ChildStep step = ChildStep::kExec;
  int error_number = 0;
};

struct ChildPlan {
  char* const* argv = nullptr;  // argv[0] is looked up in PATH when it has no slash
  pid_t parent = -1;
  // Above 2 and close-on-exec, or -1 for none.
  int input_fd = -1;
  int events_fd = -1;
  int stderr_fd = -1;  // none: stderr is inherited
  int procs_fd = -1;   // cgroup.procs to enter
  int report_fd = -1;  // takes a ChildFailure; closed by a successful exec
};

// Call in the child with all signals blocked. Never returns.
[[noreturn]] void become_child(const ChildPlan& plan);

}  // namespace writecanary
