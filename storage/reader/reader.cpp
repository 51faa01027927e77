#include "storage/reader/reader.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <mutex>
#include <utility>

#include "storage/database/database_file.h"
#include "storage/database/guard.h"
#include "storage/tables/activity.h"
#include "storage/tables/audit.h"
#include "storage/tables/events.h"
#include "storage/tables/filters.h"
#include "storage/tables/incidents.h"
#include "storage/tables/rows.h"
#include "storage/tables/totals.h"

namespace writecanary::storage {

namespace {

using Connection = std::unique_ptr<SQLite::Database>;

Connection connect(const std::string& path) {
  auto connection = std::make_unique<SQLite::Database>(path, SQLite::OPEN_READONLY, kBusyTimeoutMs);
  connection->exec("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY");
  return connection;
}

template <typename Row>
std::vector<Row> all(const SQLite::Database& database, const Query& query, Row (*row_of)(const SQLite::Statement&)) {
  SQLite::Statement select = query.prepare(database);
  std::vector<Row> rows;
  while (select.executeStep()) rows.push_back(row_of(select));
  return rows;
}

}  // namespace

struct Reader::State {
  explicit State(std::string path_in) : path(std::move(path_in)) {}

  // Lends a connection to one call: there are as many as calls were ever made at the same time, which the HTTP server
  // bounds by its threads.
  Connection take() {
    {
      std::lock_guard lock(mutex);
      if (!idle.empty()) {
        Connection connection = std::move(idle.back());
        idle.pop_back();
        return connection;
      }
    }
    return connect(path);
  }

  void give_back(Connection connection) {
    std::lock_guard lock(mutex);
    idle.push_back(std::move(connection));
  }

  // Calls the body with a connection in a transaction, so that all it reads is of one moment. A connection that failed
  // is closed instead of kept.
  template <typename Body>
  auto snapshot(const std::string& tried, Body&& body) {
    return guarded(tried, path, [&] {
      Connection connection = take();
      auto result = [&] {
        SQLite::Transaction transaction(*connection);
        return body(std::as_const(*connection));
      }();
      give_back(std::move(connection));
      return result;
    });
  }

  const std::string path;
  std::mutex mutex;
  std::vector<Connection> idle;  // guarded by mutex
};

Reader::Reader(const std::string& path) : state_(std::make_unique<State>(path)) {
  // The first connection is made here, so that a wrong path is known at once.
  state_->snapshot("open the database for reading", read_last_event_id);
}

Reader::~Reader() = default;

std::vector<RunRow> Reader::runs(const RunFilter& filter) const {
  return state_->snapshot("list runs", [&](const auto& database) { return all(database, runs_query(filter), run_of); });
}

std::optional<RunRow> Reader::run(std::int64_t id) const {
  return state_->snapshot("read a run", [&](const auto& database) { return find_run(database, id); });
}

std::vector<FindingRow> Reader::findings(const FindingFilter& filter) const {
  return state_->snapshot("list findings",
                          [&](const auto& database) { return all(database, findings_query(filter), finding_of); });
}

std::optional<FindingRow> Reader::finding(std::int64_t id) const {
  return state_->snapshot("read a finding", [&](const auto& database) { return find_finding(database, id); });
}

std::vector<KernelRow> Reader::kernels() const { return state_->snapshot("list kernels", read_kernels); }

std::vector<TotalsRow> Reader::totals() const {
  return state_->snapshot("read the totals", [](const SQLite::Database& database) { return read_totals(database); });
}

std::vector<ActivityRow> Reader::activity(const ActivityFilter& filter) const {
  return state_->snapshot("sum up runs", [&](const auto& database) { return read_activity(database, filter); });
}

std::vector<HistoryRow> Reader::history(const HistoryFilter& filter) const {
  return state_->snapshot("list last runs", [&](const auto& database) { return read_history(database, filter); });
}

std::vector<IncidentRow> Reader::incidents(const IncidentFilter& filter) const {
  return state_->snapshot("list incidents",
                          [&](const auto& database) { return all(database, incidents_query(filter), incident_of); });
}

std::optional<IncidentRow> Reader::incident(std::int64_t id) const {
  return state_->snapshot("read an incident", [&](const auto& database) { return find_incident(database, id); });
}

std::vector<IncidentDay> Reader::incident_days(std::int64_t incident_id) const {
  return state_->snapshot("read the days of an incident",
                          [&](const auto& database) { return storage::incident_days(database, incident_id); });
}

std::set<std::int64_t> Reader::runs_with_findings() const {
  return state_->snapshot("list the runs with findings", [&](const auto& database) {
    SQLite::Statement select(database, "SELECT DISTINCT run_id FROM findings");
    std::set<std::int64_t> runs;
    while (select.executeStep()) runs.insert(select.getColumn(0).getInt64());
    return runs;
  });
}

std::vector<TargetRow> Reader::targets() const { return state_->snapshot("list the targets", read_targets); }

std::vector<EventRow> Reader::events_after(std::int64_t event_id, std::optional<std::int64_t> run_id, int limit) const {
  return state_->snapshot("read events",
                          [&](const auto& database) { return read_events(database, event_id, run_id, limit); });
}

std::vector<EventRow> Reader::outbox_after(std::int64_t event_id, int limit) const {
  return state_->snapshot("read the outbox",
                          [&](const auto& database) { return read_outbox(database, event_id, limit); });
}

std::vector<AuditRow> Reader::audit(const AuditFilter& filter) const {
  return state_->snapshot("list the audit", [&](const auto& database) { return read_audit(database, filter); });
}

std::int64_t Reader::last_event_id() const { return state_->snapshot("read the last event id", read_last_event_id); }

std::uint64_t Reader::size_bytes() const { return database_size_bytes(state_->path); }

}  // namespace writecanary::storage
