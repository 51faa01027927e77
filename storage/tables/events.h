// The table of durable events. What happened to a run or an incident is appended in the transaction in which it
// happens.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "storage/tables/incident_records.h"
#include "storage/tables/records.h"

namespace writecanary::storage {

// The data is the run's few facts. Returns the id of the event; likewise below.
std::int64_t append_run_event(SQLite::Database& database, const char* type, std::int64_t at_ms, const RunRow& run);
// run.finished: the data becomes the run as GET /runs/{id} has it, plus `run_id`; made on reading.
std::int64_t append_run_finished(SQLite::Database& database, const RunRow& run);
// The data is the incident as it is then, with `finding_id` of its latest finding and, where there is one, `why`.
std::int64_t append_incident(SQLite::Database& database, const char* type, std::int64_t at_ms,
                             const IncidentRow& incident, std::optional<std::int64_t> run_id, const std::string& why);
std::int64_t append_target_paused(SQLite::Database& database, const TargetRow& target, std::int64_t at_ms);

// In ascending order, at most `limit`; only of one run when given.
std::vector<EventRow> read_events(const SQLite::Database& database, std::int64_t after_id,
                                  std::optional<std::int64_t> run_id, int limit);
// The same of those that wait in the outbox.
std::vector<EventRow> read_outbox(const SQLite::Database& database, std::int64_t after_id, int limit);
// 0 when there is none.
std::int64_t read_last_event_id(const SQLite::Database& database);

}  // namespace writecanary::storage
