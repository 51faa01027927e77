// Puts together the snapshot that HTTP threads read. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/loop/live_state.h"
#include "daemon/config/config.h"
#include "daemon/runs/run_desk.h"
#include "daemon/schedule/scheduler.h"

namespace writecanary::daemon {

// What the daemon knows beside its targets.
struct DaemonFacts {
  std::int64_t started_at_ms = 0;
  SteadyTime started{};
  bool ready = false;
  std::string not_ready_reason;
  PressureFacts pressure;
  KernelFacts kernel;
  std::string config_path;
  bool reload_successful = true;
  std::string reload_error;
  SelfTest self_test;
  std::uint64_t webhook_pending = 0;
  std::uint64_t evidence_bytes = 0;
  std::uint64_t storage_errors = 0;
  bool clock_suspect = false;
  std::vector<std::string> notices;
};

std::shared_ptr<const api::LiveState> live_view(const DaemonFacts& facts, const Config& config, const RunDesk& desk,
                                                const Plan& plan, SteadyTime now);

}  // namespace writecanary::daemon
