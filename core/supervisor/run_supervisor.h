// One probe process from its start to the moment when nothing is left of it.
//
// Puts the probe into a cgroup of its own, reads what it says, keeps its time and ends it: asked, then killed, then
// reported as stuck. For the daemon and for `writecanary check` alike. What follows from each event is
// core/supervisor/supervisor_table.h, what the result is core/supervisor/run_record.h; here are descriptors and
// signals. It knows no database and no target. Belongs to the loop's thread. Callbacks must not destroy the supervisor;
// see gone().
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "core/base/limits.h"
#include "core/host/cgroup.h"
#include "core/loop/event_loop.h"
#include "core/process/probe_process.h"
#include "core/run/protocol.h"
#include "core/run/run_spec.h"
#include "core/supervisor/last_words.h"
#include "core/supervisor/run_record.h"
#include "core/supervisor/supervisor_table.h"

namespace writecanary {

struct RunPatience {
  std::chrono::milliseconds deadline_slack = kDeadlineSlack;
  std::chrono::milliseconds stop_grace = kStopGrace;
  std::chrono::milliseconds kill_grace = kKillGrace;
};

struct Launch {
  std::string program;
  RunSpec spec;             // its pressure is filled in here
  std::string cgroup_name;  // unique under the root
  RunPatience patience = {};
  Wording wording = {};
};

struct RunCallbacks {
  std::function<void(const Hello&)> on_hello = [](const Hello&) {};
  std::function<void(const Progress&)> on_progress = [](const Progress&) {};
  std::function<void(const std::string&)> on_line = [](const std::string&) {};  // of its stderr, printable
  std::function<void(RunResult)> on_result;  // once; the process may still be there when the verdict is stuck
};

class RunSupervisor {
 public:
  // Starts the probe. Throws SystemError when the cgroup or the process cannot be made.
  RunSupervisor(EventLoop& loop, const Clock& clock, const CgroupRoot& root, Launch launch, RunCallbacks callbacks);
  // Gives a stuck cgroup up instead of waiting for it; anything else has ended before.
  ~RunSupervisor();
  RunSupervisor(const RunSupervisor&) = delete;
  RunSupervisor& operator=(const RunSupervisor&) = delete;

  // Asks the probe to end. It says its verdict itself. Again: nothing.
  void stop();
  // Does not wait for that any longer.
  void kill();
  // Like stop() with less patience, for the daemon's own end.
  void stop_in_haste();
  RunPhase phase() const { return phase_; }
  // Nothing is left: this may be destroyed, the next run may begin.
  bool gone() const { return phase_ == RunPhase::kGone; }

 private:
  void take(RunInput input);
  void read_events();
  void read_stderr();
  void hear(std::string_view line);
  void on_leader_exit();
  void clear_away();
  void on_time_out();
  void kill_all();
  void report(bool stuck);

  EventLoop& loop_;
  const Clock& clock_;
  std::optional<Cgroup> cgroup_;
  Launch launch_;
  RunCallbacks callbacks_;
  std::optional<ProbeProcess> process_;
  RunRecord record_;
  ProcessEnd end_;
  LineReader lines_;
  LastWords last_words_;
  RunPhase phase_ = RunPhase::kWorking;
  SteadyTime started_;
  EventLoop::Watch events_watch_, stderr_watch_, exit_watch_;
  Timer phase_timer_;  // the phase's time is over
  Timer clear_timer_;  // look again whether the cgroup is empty
};

}  // namespace writecanary
