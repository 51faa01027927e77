// The run, or the sweep, that is going on at a target. Private to the run desk.
#pragma once

#include <memory>
#include <optional>

#include "core/run/protocol.h"
#include "core/run/run_result.h"
#include "daemon/runs/run_desk.h"

namespace writecanary::daemon {

struct RunDesk::Desk::Active {
  std::optional<std::int64_t> run_id;  // nothing for a sweep
  RunSpec spec;
  SteadyTime started{};
  Progress progress;
  SteadyTime progress_published{};
  std::optional<Hello> hello;       // waits to be committed
  std::optional<RunResult> result;  // waits to be committed
  bool result_committed = false;
  std::unique_ptr<RunSupervisor> supervisor;  // null when it could not even be started
};

}  // namespace writecanary::daemon
