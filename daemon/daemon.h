// The daemon put together: one loop that owns scheduler, supervisors and the writing side of the database, and an HTTP
// server beside it.
//
// main.cpp prepares what must happen before threads start (signals, cgroups, configuration) and hands it over.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "api/events/event_hub.h"
#include "api/metrics/metrics.h"
#include "api/server.h"
#include "core/base/clock.h"
#include "core/host/cgroup.h"
#include "core/loop/event_loop.h"
#include "core/run/profile_info.h"
#include "daemon/clock/clock_watch.h"
#include "daemon/commands.h"
#include "daemon/live_view.h"
#include "daemon/loop/mailbox.h"
#include "daemon/loop/notify.h"
#include "daemon/options.h"
#include "daemon/runs/run_desk.h"
#include "daemon/schedule/scheduler.h"
#include "daemon/upkeep/retention.h"
#include "daemon/webhook/webhook.h"
#include "storage/reader/reader.h"
#include "storage/store/store.h"

namespace writecanary::daemon {

// What main prepares.
struct Prepared {
  Options options;
  LoadedConfig loaded;  // without errors
  Signals signals;
  CgroupRoot cgroups;
  std::string probe_program;
  Catalogue catalogue;
};

class Daemon {
 public:
  // Opens the database and closes what an earlier daemon left behind. Throws StorageError and SystemError.
  explicit Daemon(Prepared prepared);
  ~Daemon();

  // Serves until SIGTERM or SIGINT. Throws when it cannot start or cannot go on.
  void serve();
  // Runs every profile of every target one time and prints the verdicts to stdout. Returns the worst one's exit code.
  int run_once();

 private:
  void begin();
  void take_signals();
  void reload();
  void warn_of_open_doors() const;
  void take_over(Config config);
  void configure_metrics();
  void read_mounts();
  void beat();
  void pass();
  void prove_storage();
  void plan_and_start();
  void publish();
  void shut_down();

  const SystemClock clock_;
  Prepared prepared_;
  Config config_;
  DaemonFacts facts_;
  EventLoop loop_;
  std::unique_ptr<storage::Store> store_;
  storage::Reader reader_;
  ClockWatch watch_;
  api::EventHub events_;
  api::Metrics metrics_;
  api::LiveBoard board_;
  RunDesk desk_;
  Scheduler scheduler_;
  Commands commands_;
  Mailbox mailbox_;
  Retention retention_;
  Webhook webhook_;
  Notifier notifier_;
  Plan plan_;
  std::optional<double> memory_pressure_;
  bool stopping_ = false;
  SteadyTime published_{};
  SteadyTime retention_due_{};
  SteadyTime storage_retry_{};  // after a failure of the database nothing is started before this
  std::uint64_t storage_errors_seen_ = storage::storage_errors_total();
  Fd mountinfo_;
  EventLoop::Watch signal_watch_, mailbox_watch_, mount_watch_;
  Timer beat_timer_;
  std::unique_ptr<api::Server> server_;
};

}  // namespace writecanary::daemon
