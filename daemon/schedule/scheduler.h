// Decides which runs are due. Takes the time and the situation as arguments and does nothing but decide, so that a
// simulated week takes milliseconds.
//
// Every target and profile has a slot each interval, at a phase that follows from host, target and profile: a fleet
// with one configuration spreads out, and a host keeps its phase for ever. A slot that cannot be used is held, not
// dropped; when it was held into the next one, the two become one. Runs that a person asks for do not come by here.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "daemon/calendar/window.h"
#include "daemon/config/config.h"

namespace writecanary::daemon {

// Under memory pressure a scheduled run waits so many intervals, then runs all the same: a host that is always busy
// would otherwise never be watched.
inline constexpr int kStarvationIntervals = 4;
// The first runs after the start are spread over this time, the very first one begins at once.
inline constexpr std::chrono::seconds kFirstRunsSpread{30};

// What is known of a target at the moment of the decision.
struct TargetSituation {
  bool mounted = true;
  std::string mount_reason;
  bool paused = false;
  std::string paused_note;
  bool stuck = false;
  std::string stuck_reason;
  bool busy = false;        // a run, a sweep or one that a person queued
  std::string held_reason;  // why none may begin now although it is not busy; empty: it may
  std::uint64_t bytes_today = 0;
};
using Situation = std::map<std::string, TargetSituation>;

struct HostSituation {
  int free_slots = 1;                     // runs that may start now
  std::optional<double> memory_pressure;  // PSI some avg60; nothing when the kernel does not tell
};

struct DueRun {
  std::string target;
  std::string profile;
  bool first = false;  // since the daemon started
};

struct PlannedTarget {
  std::string state;                                           // as api::LiveTarget has it
  std::string reason;                                          // why it is not idle or running, with the way out
  std::map<std::string, std::optional<SystemTime>> next_runs;  // by profile; nothing while blocked
};

struct Plan {
  std::vector<DueRun> due;                       // to be started now, at most one per target
  SystemTime wake_at;                            // the next time at which something may change by itself
  std::map<std::string, PlannedTarget> targets;  // by name
};

class Scheduler {
 public:
  // `host_id` stays the same for the life of the host (/etc/machine-id).
  explicit Scheduler(std::string host_id) : host_id_(std::move(host_id)) {}

  // Takes over targets and settings; slots of those that stay are kept.
  void configure(const Config& config, SystemTime now);
  // What is due, and why the rest is not. Moves slots that fall outside a window or a spent budget. A target that
  // `situation` does not name is taken as it is by default.
  Plan plan(const Situation& situation, const HostSituation& host, SystemTime now);
  // A scheduled run has begun: its profile waits for the next slot.
  void started(const std::string& target, const std::string& profile, SystemTime now);

 private:
  struct Slot {
    bool first() const { return started == SystemTime{}; }
    // Who comes first when several are due: whoever has not run for longest.
    std::pair<SystemTime, SystemTime> rank() const { return {started, next}; }

    std::string profile;
    double phase = 0;  // 0 to 1, from the hash
    SystemTime next;
    SystemTime decided_at;                 // when `next` was worked out; a clock set back shows by it
    SystemTime started{};                  // last; the epoch before the first run
    std::optional<SystemTime> held_since;  // by memory pressure
  };
  struct Target {
    std::string name;
    RunSettings settings;
    std::optional<Window> window;
    std::vector<Slot> slots;
  };

  static SystemTime slot_after(const RunSettings& settings, double phase, SystemTime time);
  static void move_into_window(const Target& target, Slot& slot, SystemTime now);
  static void hold_for_budget(const Target& target, const TargetSituation& situation, Slot& slot, SystemTime now);
  static bool held_by_pressure(const Target& target, Slot& slot, const HostSituation& host, SystemTime now);
  void plan_target(Target& target, const TargetSituation& situation, const HostSituation& host, SystemTime now,
                   Plan& plan);

  std::string host_id_;
  std::vector<Target> targets_;
};

}  // namespace writecanary::daemon
