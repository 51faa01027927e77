// The Prometheus side: registries filled from the database at start and by the loop at each committed change.
//
// Every counter of every configured target x profile x kind x verdict exists at 0 from the first scrape, so that an
// increase() sees the first finding. No run ids as labels. writecanary_open_incidents has a series for what is open and
// none for the rest.
//
// The kernel_*_total count again what was seen, on the running release alone. The other counters of a host go on over a
// reboot into another kernel, so that nobody could tell which of the two they speak of.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/loop/live_state.h"
#include "storage/tables/incident_records.h"
#include "storage/tables/records.h"

namespace writecanary::api {

class Metrics {
 public:
  Metrics();
  ~Metrics();

  // Makes the series of these targets and profiles, starting from the totals. Called at start and after a reload;
  // series of targets that went away are removed. Loop thread.
  void configure(const std::vector<std::string>& targets, const std::vector<std::string>& profiles,
                 const std::vector<storage::TotalsRow>& totals);
  // What was seen on the running kernel so far: starts writecanary_kernel_*_total, which count on from there. Call
  // after each configure(). Loop thread.
  void configure_kernel(const std::string& release, const std::vector<storage::TotalsRow>& totals_of_release);
  // After the transaction of a run's end. Loop thread.
  void on_run_finished(const std::string& target, const RunResult& result, std::int64_t finished_at_ms);
  // After a change of incidents, and after configure_kernel(). Shown are those of the running kernel and those of runs
  // that never told theirs. Loop thread.
  void set_open_incidents(const std::vector<storage::IncidentRow>& open);
  // Gauges that mirror the live state: schedule, targets, kernel_info, reload, self-test, database. Loop thread.
  void mirror(const LiveState& state, std::uint64_t database_size_bytes);

  // The text exposition, with process_* read from /proc/self. Any thread.
  std::string scrape() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace writecanary::api
