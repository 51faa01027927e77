// When a run has to end: at a limit of its spec, when it is told to, when nobody listens, when space runs out.
#pragma once

#include <atomic>

#include "probe/run/emitter.h"
#include "probe/run/meter.h"
#include "probe/run/workspace.h"

namespace writecanary::probe {

class RunLimits {
 public:
  // All references must outlive this; `stop` is set by a signal handler.
  RunLimits(const RunSpec& spec, const Workspace& workspace, const Pressure& pressure, Meter& meter, Emitter& emitter,
            const std::atomic<bool>& stop)
      : spec_(spec), workspace_(workspace), pressure_(pressure), meter_(meter), emitter_(emitter), stop_(stop) {}

  // Asked before each write. Reports progress when due. Throws WorkspaceRefusal when too little space is left.
  bool may_continue();
  // For what is done beside the run's own writes, such as replays of a failure: whether time, bytes and free space are
  // left for it.
  bool has_room();
  // Told to stop, or nobody listens.
  bool stopped() const { return stop_.load(std::memory_order_relaxed) || emitter_.broken(); }

 private:
  double fraction() const;
  double spent() const;  // of time and bytes, the nearer one

  const RunSpec& spec_;
  const Workspace& workspace_;
  const Pressure& pressure_;
  Meter& meter_;
  Emitter& emitter_;
  const std::atomic<bool>& stop_;
  SteadyTime::duration next_progress_ = kProgressInterval, next_space_check_{0};
};

}  // namespace writecanary::probe
