// The life of a probe process as a table: phase x input -> next phase, actions.
//
// Every combination is defined, so that no order of events (a late run_end, an exit before the kill, two stops) is
// left to chance. What the actions do is core/supervisor/run_supervisor.h.
#pragma once

#include <array>
#include <cstdint>

namespace writecanary {

enum class RunPhase : std::uint8_t {
  kWorking,   // started; its deadline runs
  kStopping,  // told to stop
  kEnding,    // said run_end, is about to exit
  kKilling,   // killed, or its leader is gone and the rest was killed
  kStuck,     // SIGKILL did not help; reported
  kGone,      // nothing is left of it
};
inline constexpr std::array kAllRunPhases = {RunPhase::kWorking, RunPhase::kStopping, RunPhase::kEnding,
                                             RunPhase::kKilling, RunPhase::kStuck,    RunPhase::kGone};

enum class RunInput : std::uint8_t {
  kStopAsked,     // by a person, a deadline has its own input
  kKillAsked,     // by a person who does not wait any longer
  kTimeout,       // the phase's time is over
  kRunEnd,        // the verdict came
  kViolation,     // what came is not the protocol
  kLeaderExited,  // the process that was started is gone, others may be left in its cgroup
  kAllGone,       // the cgroup is empty and removed
};
inline constexpr std::array kAllRunInputs = {RunInput::kStopAsked, RunInput::kKillAsked, RunInput::kTimeout,
                                             RunInput::kRunEnd,    RunInput::kViolation, RunInput::kLeaderExited,
                                             RunInput::kAllGone};

// Bits, carried out in this order.
enum RunAction : unsigned {
  kNothing = 0,
  kTerminate = 1,    // SIGTERM to the probe
  kKill = 2,         // SIGKILL to everything in the cgroup
  kAwaitEnd = 4,     // arm the timer with the stop grace
  kAwaitDeath = 8,   // arm the timer with the kill grace
  kReport = 16,      // conclude and hand over the result
  kReportStuck = 32  // the same, with a stuck finding
};

struct RunStep {
  RunPhase next;
  unsigned actions;
};

RunStep next_step(RunPhase phase, RunInput input);

}  // namespace writecanary
