// The reading side of the database, for HTTP threads: read-only connections of their own (WAL readers never wait for
// the writer). One Reader serves many threads; it keeps a small pool. Methods throw StorageError.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/database/storage_error.h"
#include "storage/tables/incident_records.h"
#include "storage/tables/records.h"

namespace writecanary::storage {

class Reader {
 public:
  // The database must have been opened by a Store before.
  explicit Reader(const std::string& path);
  ~Reader();

  std::vector<RunRow> runs(const RunFilter& filter) const;  // newest first
  std::optional<RunRow> run(std::int64_t id) const;
  std::vector<FindingRow> findings(const FindingFilter& filter) const;  // newest first
  std::optional<FindingRow> finding(std::int64_t id) const;
  std::vector<KernelRow> kernels() const;  // last seen first
  std::vector<TotalsRow> totals() const;
  std::vector<ActivityRow> activity(const ActivityFilter& filter) const;  // in the order of time
  std::vector<HistoryRow> history(const HistoryFilter& filter) const;
  std::vector<IncidentRow> incidents(const IncidentFilter& filter) const;  // newest first
  std::optional<IncidentRow> incident(std::int64_t id) const;
  std::vector<IncidentDay> incident_days(std::int64_t incident_id) const;  // in the order of time
  // Runs of which an incident keeps findings, and with them their evidence.
  std::set<std::int64_t> runs_with_findings() const;
  std::vector<TargetRow> targets() const;
  std::vector<EventRow> events_after(std::int64_t event_id, std::optional<std::int64_t> run_id, int limit) const;
  // Those that wait in the outbox, in ascending order.
  std::vector<EventRow> outbox_after(std::int64_t event_id, int limit) const;
  std::int64_t last_event_id() const;
  std::vector<AuditRow> audit(const AuditFilter& filter) const;  // newest first
  std::uint64_t size_bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace writecanary::storage
