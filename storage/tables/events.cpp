#include "storage/tables/events.h"

#include <algorithm>

#include "core/base/json_text.h"
#include "core/text/units.h"
#include "storage/tables/documents.h"
#include "storage/tables/rows.h"

namespace writecanary::storage {

namespace {

using nlohmann::json;

// No data: it is made from the row of the run, or of the finding in a file of before there were incidents.
std::int64_t append(SQLite::Database& database, std::int64_t at_ms, const char* type,
                    std::optional<std::int64_t> run_id, std::optional<std::int64_t> finding_id,
                    const std::string& target, const std::optional<json>& data) {
  SQLite::Statement insert(
      database, "INSERT INTO events (at_ms, type, run_id, finding_id, target, data) VALUES (?, ?, ?, ?, ?, ?)");
  Binder(insert) << at_ms << type << run_id << finding_id << target
                 << (data ? std::optional(json_text(*data)) : std::nullopt);
  insert.exec();
  return database.getLastInsertRowid();
}

std::string data_from_rows(const SQLite::Database& database, const EventRow& event,
                           std::optional<std::int64_t> finding_id) {
  if (finding_id) {
    FindingRow finding = find_finding(database, *finding_id).value_or(FindingRow{});
    finding.acknowledged_at_ms.reset();
    finding.acknowledged_by.clear();
    finding.note.clear();
    return json_text(finding_json(finding));
  }
  const RunRow run = find_run(database, event.run_id.value_or(0)).value_or(RunRow{});
  json document = run_json(run);
  document["run_id"] = run.id;
  return json_text(document);
}

constexpr char kSelectEvents[] = "SELECT id, at_ms, type, run_id, target, finding_id, data FROM events WHERE id > ?";

std::vector<EventRow> events_of(const SQLite::Database& database, SQLite::Statement& select) {
  std::vector<EventRow> events;
  while (select.executeStep()) {
    EventRow event;
    std::optional<std::int64_t> finding_id;
    std::optional<std::string> data;
    RowReader(select) >> event.id >> event.at_ms >> event.type >> event.run_id >> event.target >> finding_id >> data;
    event.data_json = data ? *data : data_from_rows(database, event, finding_id);
    events.push_back(std::move(event));
  }
  return events;
}

}  // namespace

std::int64_t append_run_event(SQLite::Database& database, const char* type, std::int64_t at_ms, const RunRow& run) {
  return append(database, at_ms, type, run.id, std::nullopt, run.target,
                json{{"run_id", run.id},
                     {"target", run.target},
                     {"profile", run.result.profile},
                     {"state", to_string(run.state)},
                     {"trigger", run.trigger},
                     {"requested_by", run.requested_by},
                     {"at", format_timestamp(at_ms)}});
}

std::int64_t append_run_finished(SQLite::Database& database, const RunRow& run) {
  return append(database, run.finished_at_ms.value_or(0), "run.finished", run.id, std::nullopt, run.target,
                std::nullopt);
}

std::int64_t append_incident(SQLite::Database& database, const char* type, std::int64_t at_ms,
                             const IncidentRow& incident, std::optional<std::int64_t> run_id, const std::string& why) {
  json data = incident_json(incident);
  data["incident_id"] = incident.id;
  SQLite::Statement latest(database, "SELECT max(id) FROM findings WHERE incident_id = ?");
  Binder(latest) << incident.id;
  latest.executeStep();
  data["finding_id"] = latest.isColumnNull(0) ? json() : json(latest.getColumn(0).getInt64());
  if (run_id) data["run_id"] = *run_id;
  if (!why.empty()) data["why"] = why;
  return append(database, at_ms, type, run_id, std::nullopt, incident.target, data);
}

std::int64_t append_target_paused(SQLite::Database& database, const TargetRow& target, std::int64_t at_ms) {
  return append(database, at_ms, target.paused ? "target.paused" : "target.resumed", std::nullopt, std::nullopt,
                target.name,
                json{{"target", target.name},
                     {"paused", target.paused},
                     {"note", target.paused_note},
                     {"at", format_timestamp(at_ms)}});
}

std::vector<EventRow> read_events(const SQLite::Database& database, std::int64_t after_id,
                                  std::optional<std::int64_t> run_id, int limit) {
  SQLite::Statement select(database,
                           std::string(kSelectEvents) + (run_id ? " AND run_id = ?" : "") + " ORDER BY id LIMIT ?");
  Binder values(select);
  values << after_id;
  if (run_id) values << *run_id;
  values << std::int64_t{std::max(limit, 0)};
  return events_of(database, select);
}

std::vector<EventRow> read_outbox(const SQLite::Database& database, std::int64_t after_id, int limit) {
  SQLite::Statement select(database,
                           std::string(kSelectEvents) + " AND id IN (SELECT event_id FROM outbox) ORDER BY id LIMIT ?");
  Binder(select) << after_id << std::int64_t{std::max(limit, 0)};
  return events_of(database, select);
}

std::int64_t read_last_event_id(const SQLite::Database& database) {
  SQLite::Statement select(database, "SELECT coalesce(max(id), 0) FROM events");
  select.executeStep();
  return select.getColumn(0).getInt64();
}

}  // namespace writecanary::storage
