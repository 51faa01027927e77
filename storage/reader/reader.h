// The reading side of the database, for HTTP threads: read-only connections of their own (WAL readers never wait for
// the writer). One Reader serves many threads; it keeps a small pool. Methods throw StorageError.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/database/storage_error.h"
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
  std::vector<OpenFindings> open_findings() const;
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
