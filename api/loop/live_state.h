// What the loop knows right now and the database does not: a snapshot that the loop publishes and HTTP threads read.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/process/self_test.h"
#include "core/run/profile_info.h"
#include "core/run/protocol.h"
#include "core/run/run_result.h"

namespace writecanary::api {

struct LiveProfile {
  std::string profile;
  std::optional<std::int64_t> next_run_ms;  // nothing while paused or blocked
  std::int64_t every_ms = 0;                // interval of its schedule
};

// What a run opened and wrote to.
struct TestedFilesystem {
  std::int64_t run_id = 0;
  FilesystemFacts facts;
};

struct LiveTarget {
  std::string name;
  std::string path;
  FilesystemFacts filesystem;                // from mountinfo, without a UUID; empty when not mounted
  std::optional<TestedFilesystem> tested;    // by the last run; nothing before the first
  std::vector<std::string> same_filesystem;  // other targets on it
  bool mounted = false;
  bool paused = false;
  std::string paused_note;
  // "idle", "running", "stuck", "not_mounted", "paused", "waiting" (pressure, window, budget)
  std::string state;
  std::string state_reason;  // why it is not idle or running, with the way out
  std::optional<std::int64_t> current_run;
  std::vector<std::int64_t> queued_runs;
  std::uint64_t bytes_today = 0;
  std::uint64_t bytes_per_day_max = 0;
  std::vector<LiveProfile> profiles;
};

struct LiveRun {
  std::int64_t id = 0;
  std::string target;
  std::string profile;
  SteadyTime started{};
  Progress progress;
};

struct LiveState {
  std::int64_t started_at_ms = 0;
  SteadyTime started{};
  SteadyTime loop_beat{};  // when the loop last went round; /healthz judges by it
  bool ready = false;      // database open, probe catalogue read, first schedule made
  std::string not_ready_reason;
  PressureFacts pressure;
  KernelFacts kernel;
  std::string database_path;
  std::uint64_t database_bytes_max = 0;  // beyond it the oldest runs are removed
  std::uint64_t evidence_bytes = 0;      // kept of damaged files, as of the last look
  std::uint64_t evidence_bytes_max = 0;  // beyond it some are removed
  std::string config_path;               // empty: built-in defaults
  bool config_reload_successful = true;
  std::string config_reload_error;
  std::uint64_t webhook_pending = 0;     // events that wait to be delivered
  SelfTest self_test;                    // of this build's detectors
  std::uint64_t storage_errors = 0;      // since the start
  bool clock_suspect = false;            // the wall clock is not what it should be by the time that went by
  std::vector<std::string> notices;      // what a person should know and do something about, a sentence each
  std::string alert_label;               // what says which host an alert is about; empty: nothing has to
  std::vector<std::string> alert_hosts;  // what it says of this one, the host's name among them
  std::vector<LiveTarget> targets;
  std::vector<LiveRun> runs;
};

// One writer (the loop), many readers.
class LiveBoard {
 public:
  void publish(std::shared_ptr<const LiveState> state) {
    std::lock_guard lock(mutex_);
    state_ = std::move(state);
  }
  // Never null.
  std::shared_ptr<const LiveState> get() const {
    std::lock_guard lock(mutex_);
    return state_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const LiveState> state_ = std::make_shared<LiveState>();  // guarded by mutex_
};

}  // namespace writecanary::api
