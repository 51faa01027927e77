// The runs of all targets: queues them, starts them one per target and so many at once, follows them and commits how
// they end.
//
// Runs on one filesystem go one after the other, also when two targets are mounts of it: they would share the canary's
// directory, or hang in the same place. Every step is committed to the store before anyone hears of it. When a run
// should be is not decided here (daemon/schedule/scheduler.h), neither whether a request is allowed
// (daemon/commands.h). It touches no target: mount facts come in from outside. Belongs to the loop's thread; methods
// throw storage::StorageError.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/events/event_hub.h"
#include "api/loop/live_state.h"
#include "api/metrics/metrics.h"
#include "core/host/cgroup.h"
#include "core/host/mountinfo.h"
#include "core/loop/event_loop.h"
#include "core/supervisor/run_supervisor.h"
#include "daemon/clock/clock_watch.h"
#include "daemon/config/config.h"
#include "daemon/runs/run_order.h"
#include "daemon/schedule/scheduler.h"
#include "storage/store/store.h"

namespace writecanary::daemon {

// What the desk works with. All references must outlive it.
struct DeskServices {
  storage::Store& store;
  api::EventHub& events;
  api::Metrics& metrics;
  EventLoop& loop;
  const Clock& clock;
  const ClockWatch& watch;
  CgroupRoot cgroups;
  std::string cgroup_prefix;  // of this daemon's runs alone
  std::string probe_program;
  std::string evidence_root;
  std::function<std::uint64_t()> draw_seed;
  RunPatience patience;
};

class RunDesk {
 public:
  // A run as it was ordered, with the number it has in the store.
  struct QueuedRun {
    std::int64_t id = 0;
    RunOrder order;
    RunSpec spec;
  };
  // Everything about one target that outlives a single run.
  struct Desk {
    TargetConfig config;
    bool configured = true;  // false: only its last run is still here
    bool paused = false;
    std::string paused_note;
    TargetMount mount;
    std::optional<api::TestedFilesystem> tested;  // by the last run that told
    bool needs_sweep = false;                     // a run ended without clearing up
    std::deque<QueuedRun> queue;
    std::uint64_t bytes_today = 0;
    std::vector<std::string> leftovers;  // cgroups of an earlier daemon whose processes do not die
    struct Active;
    std::unique_ptr<Active> active;

    Desk();
    Desk(Desk&&) noexcept;
    Desk& operator=(Desk&&) noexcept;
    ~Desk();
    bool stuck() const;
    bool busy() const { return active != nullptr || !queue.empty(); }
  };

  explicit RunDesk(DeskServices services);
  ~RunDesk();

  // Takes over targets and limits. Queued runs of a target that is gone end as stopped, its running one goes on. Those
  // of the others begin with what is configured by then.
  void configure(const Config& config);
  void set_mounts(const std::vector<Mount>& mounts);
  // Runs were cut off on this target: clear up before the next one.
  void sweep_before_next(const std::string& target);
  // This cgroup (a full path) of an earlier daemon's run could not be removed: the target is stuck until it can.
  void hold_for_leftover(const std::string& target, const std::string& cgroup);

  // Null when no such target is configured.
  const Desk* find(const std::string& target) const;
  const std::map<std::string, Desk>& desks() const { return desks_; }
  // Another target on the same filesystem (two mounts of one) where something runs or hangs; null when there is none.
  const Desk* holder_of(const Desk& desk) const;
  // The names of other targets on the same filesystem.
  std::vector<std::string> on_same_filesystem(const Desk& desk) const;
  Situation situation() const;
  int free_slots() const;
  bool settled() const;  // nothing waits and every result is committed; a stuck process may be left
  std::vector<api::LiveRun> live_runs() const;

  // Queues a run on a configured target; committed when this returns.
  std::int64_t order(const RunOrder& order);
  // False when the run neither waits nor runs.
  bool stop(std::int64_t run_id, const std::string& requested_by);
  void set_paused(const std::string& target, bool paused, const std::string& note);
  // Commits what ended, then starts what may start. Call after every turn of the loop.
  void pass();
  // Ends everything, soon.
  void shut_down();
  // Hands every event committed since the last call to the streams.
  void publish_events();
  // Called with each result that was committed (not for sweeps).
  void on_finished(std::function<void(const std::string& target, const RunResult&)> callback) {
    finished_ = std::move(callback);
  }

 private:
  void commit_result(Desk& desk);
  void start_next(Desk& desk);
  void start_run(Desk& desk, QueuedRun& run);
  void launch(Desk& desk, const RunSpec& spec);
  void end_unstarted(const std::string& target, const QueuedRun& run, Verdict verdict, const std::string& reason);
  void end_queue(Desk& desk, Verdict verdict, const std::string& reason);
  void announce(const std::string& target, std::int64_t run_id, const RunResult& result, std::int64_t finished_at_ms);
  void publish_progress(const Desk& desk) const;
  void refresh_budgets();
  void count_bytes(Desk& desk) const;
  void locate_targets();

  DeskServices services_;
  std::map<std::string, Desk> desks_;
  std::vector<Mount> mounts_;
  int concurrent_max_ = 1;
  bool shutting_down_ = false;
  std::int64_t last_event_ = 0;
  std::optional<std::chrono::sys_days> budget_day_;  // UTC
  std::function<void(const std::string&, const RunResult&)> finished_;
};

}  // namespace writecanary::daemon
