// Carries out what HTTP requests ask for, or refuses with the reason. Loop thread.
#pragma once

#include "api/loop/commands.h"
#include "core/run/profile_info.h"
#include "daemon/clock/clock_watch.h"
#include "daemon/runs/run_desk.h"
#include "storage/store/store.h"

namespace writecanary::daemon {

class Commands {
 public:
  // All must outlive this.
  Commands(RunDesk& desk, storage::Store& store, api::Metrics& metrics, const Catalogue& catalogue, const Clock& clock,
           const ClockWatch& watch)
      : desk_(desk), store_(store), metrics_(metrics), catalogue_(catalogue), clock_(clock), watch_(watch) {}

  // Committed when it returns, with its row in the audit: a change that cannot be recorded is not begun. Throws
  // storage::StorageError.
  api::CommandResult execute(const api::Caller& caller, const api::Command& command);

 private:
  api::CommandResult carry_out(const api::StartRun& command, const std::string& who);
  api::CommandResult carry_out(const api::StopRun& command, const std::string& who);
  api::CommandResult carry_out(const api::SetPaused& command, const std::string& who);
  api::CommandResult carry_out(const api::AckFinding& command, const std::string& who);
  std::int64_t order(const api::StartRun& command, std::size_t number, const storage::RequestKey& key,
                     const std::string& who);
  api::CommandResult carry_out(const api::AckIncidents& command, const std::string& who);
  void show_incidents();
  void complete_audit(std::int64_t id, const api::CommandResult& result);
  std::optional<api::Refusal> refuse_start(const api::StartRun& command) const;

  RunDesk& desk_;
  storage::Store& store_;
  api::Metrics& metrics_;
  const Catalogue& catalogue_;
  const Clock& clock_;
  const ClockWatch& watch_;
};

}  // namespace writecanary::daemon
