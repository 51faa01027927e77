// The writing side of the database: every change of a run's life is one transaction here.
//
// Owned by the daemon's loop thread alone; readers have their own connections (storage/reader/reader.h). What is shown
// anywhere was committed here first. Deciding when to run or what a verdict is happens elsewhere.
// All methods throw storage::StorageError with what was tried and the database's path.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/database/storage_error.h"
#include "storage/tables/incident_records.h"
#include "storage/tables/records.h"

namespace writecanary::storage {

class Store {
 public:
  // Opens or creates the database (WAL, synchronous=FULL so that a committed finding survives power loss), runs the
  // migrations. A file that is not ours, is newer or is damaged is refused with the way out and never changed. A log of
  // another database that lies beside it is renamed.
  // In the directory an flock'ed "<path>.lock" keeps a second daemon away.
  static std::unique_ptr<Store> open(const std::string& path);
  ~Store();

  // Which database this is: drawn when it was made, the same in each copy of it.
  std::string id() const;
  // What open() found beside the database and a person should hear of.
  const std::vector<std::string>& notices() const;

  // Makes the configured targets known, keeps their paused state; targets no longer configured stay for their history.
  void sync_targets(const std::vector<TargetRow>& configured);
  std::vector<TargetRow> targets() const;
  void set_paused(const std::string& target, bool paused, const std::string& note, std::int64_t now_ms);

  // Returns the new id; state kQueued. Writes the event run.queued. A key that is given leads to this run for a day
  // from `key_time_ms` on, which is the time that the run was queued unless it is given. `spec_of` makes the spec of
  // the id, in the same transaction; without it the run has that of `run`.
  std::int64_t add_run(const RunRow& run, const RequestKey& key = {},
                       std::optional<std::int64_t> key_time_ms = std::nullopt,
                       const std::function<std::string(std::int64_t)>& spec_of = {});
  // The run takes its seed from the spec. This and the next three methods throw when the run is past the state that
  // they lead to.
  void set_spec(std::int64_t run_id, const std::string& spec_json);
  void start_run(std::int64_t run_id, std::int64_t now_ms);
  // Facts from the probe's hello.
  // The last run on the target whose probe said on what filesystem it is; nothing when there is none.
  std::optional<RunRow> last_run_with_facts(const std::string& target);
  void set_facts(std::int64_t run_id, const KernelFacts& kernel, const FilesystemFacts& filesystem,
                 const PressureFacts& pressure);
  // The end of a run, also of one that never started: verdict, counters, incidents and events in one transaction. Where
  // the result has no facts (the probe never said hello) and no seed, those known before stay. Returns the ids of the
  // findings that are kept.
  std::vector<std::int64_t> finish_run(std::int64_t run_id, const RunResult& result, std::int64_t now_ms);
  // After a crash: every run that is queued or running becomes `interrupted`. Returns them as they were.
  std::vector<RunRow> interrupt_unfinished(std::int64_t now_ms);

  // Makes the incidents of the filter known, or known otherwise; not those that are resolved. Returns the ids of those
  // that are known now, at most the filter's limit.
  std::vector<std::int64_t> acknowledge(const IncidentFilter& filter, const Acknowledgement& acknowledgement);
  // The finding's incident, until the kernel changes. An incident that is known stays as it is; of one that is resolved
  // the finding alone is acknowledged. False when there is no such finding.
  bool acknowledge_finding(std::int64_t finding_id, const std::string& by, const std::string& note,
                           std::int64_t now_ms);
  // Opens the incidents that were known until a date that is over. True when there were any.
  bool reopen_due_incidents(std::int64_t now_ms);
  std::vector<IncidentRow> open_incidents() const;

  // The run that an earlier request with this key started, if any; keys live a day.
  std::optional<KeyedRun> run_of_key(const RequestKey& key, std::int64_t now_ms);

  // The audit. Without an outcome the row is completed later; its id is returned. The oldest rows beyond kAuditRowsMax
  // and kAuditRefusalsMax go, each kind for itself: anybody can be refused, as often as they like.
  std::int64_t add_audit(const AuditRow& row);
  void complete_audit(std::int64_t id, const std::string& outcome, const std::string& detail);

  // Bytes written on a target by the runs that ended within that time, for the daily budget.
  std::uint64_t bytes_written_between(const std::string& target, std::int64_t since_ms, std::int64_t before_ms) const;
  // The latest time that the newest run carries, nothing when there is none.
  std::optional<std::int64_t> newest_run_ms() const;
  std::vector<TotalsRow> totals() const;
  // Only what was made on this kernel.
  std::vector<TotalsRow> totals_of_kernel(const std::string& release) const;
  // The newest event id, 0 when there is none.
  std::int64_t last_event_id() const;
  std::vector<EventRow> events_after(std::int64_t event_id, int limit) const;

  // Whether the events of incidents and the ends of runs are kept for somebody outside. Turned off, what still waits is
  // dropped.
  void keep_outbox(bool keep);
  std::uint64_t outbox_size() const;
  void remove_from_outbox(std::int64_t event_id);

  // Facts of the daemon itself, as JSON text by name; nothing when it was never remembered.
  std::optional<std::string> fact(const std::string& name) const;
  void remember_fact(const std::string& name, const std::string& value_json);

  // The oldest runs that ended before the given time, at most `batch` of them and fewer when they have many findings,
  // never one with a finding that an incident keeps which is not resolved. One that came after a run of the time
  // between `before_ms` and `now_ms` is not old, whatever it carries: the clock was behind.
  std::vector<std::int64_t> removable_runs(std::int64_t before_ms, std::int64_t now_ms, int batch) const;
  // With all that belongs to them; totals stay.
  void remove_runs(const std::vector<std::int64_t>& ids);
  // Of the events that belong to no run, at most `batch`.
  void remove_events_before(std::int64_t before_ms, int batch);
  // Removes some of the findings that an incident does not keep: the database of an earlier version has them. False:
  // there are none.
  bool thin_findings();
  // Of the incidents that were resolved before the given time, with what is left of them.
  void remove_incidents_before(std::int64_t before_ms);
  // Gives some of the pages that removed rows have left back to the filesystem. False when there are none; until then
  // size_bytes() counts them.
  bool give_space_back();
  // Writes as much as a run does, and takes it away again. Throws when that is not possible: after a failure this tells
  // whether it is over.
  void prove_writable();
  // Reads an index through: tens of milliseconds for a million.
  std::uint64_t run_count() const;
  // Database plus write-ahead log.
  std::uint64_t size_bytes() const;

 private:
  Store();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace writecanary::storage
