// A profile: one way of writing that can show one kind of kernel bug, with its oracle.
//
// One file in probe/profiles and one row in its table (probe/profiles/registry.cpp) make a profile; nothing else in the
// system knows them by name.
#pragma once

#include <optional>
#include <span>

#include "core/run/profile_info.h"
#include "probe/run/run_context.h"
#include "probe/trap/ring.h"

namespace writecanary::probe {

struct Profile {
  // Built on demand: defaults depend on the page size.
  ProfileInfo (*describe)();
  // Runs the workload until the context's limits. Returns why it cannot run here, if so; throws SystemError or
  // WorkspaceRefusal when it fails.
  std::optional<Unsupported> (*run)(RunContext& context);
  // Whether the trigger is memory pressure: then nothing is exposed without a memory cgroup.
  bool needs_pressure = true;
  // Otherwise exposures are reads, copies and the like, beside the writes.
  bool exposures_are_writes = true;
};

// All profiles, in the order in which `check --profile all` runs them.
std::span<const Profile* const> profiles();
Catalogue catalogue();

}  // namespace writecanary::probe
