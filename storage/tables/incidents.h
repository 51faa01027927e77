// The table of incidents: rows in and out, and which of their findings are kept. How a run changes them is
// storage/tables/incident_course.h.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "storage/tables/filters.h"
#include "storage/tables/incident_records.h"

namespace writecanary::storage {

// For incident_of; newest first.
Query incidents_query(const IncidentFilter& filter);
IncidentRow incident_of(const SQLite::Statement& row);

std::optional<IncidentRow> find_incident(const SQLite::Database& database, std::int64_t id);
// Of a target and profile, on whatever release and in whatever state.
std::vector<IncidentRow> incidents_of(const SQLite::Database& database, const std::string& target,
                                      const std::string& profile);
// Those that are open, and those that are known until a date that is over.
std::vector<IncidentRow> open_incidents(const SQLite::Database& database);
std::vector<IncidentRow> incidents_known_until(const SQLite::Database& database, std::int64_t now_ms);

// The id in the row is not looked at; the new one is returned.
std::int64_t insert_incident(SQLite::Database& database, const IncidentRow& incident);
// Writes every column of the incident with this id.
void update_incident(SQLite::Database& database, const IncidentRow& incident);

// Adds to the day of the incident's strip; days beyond kIncidentDaysKept go.
void add_to_day(SQLite::Database& database, std::int64_t incident_id, const IncidentDay& day);
// In the order of time.
std::vector<IncidentDay> incident_days(const SQLite::Database& database, std::int64_t incident_id);

// Removes findings between the first and the latest ones that are kept, at most so many. False when there are none.
bool trim_findings(SQLite::Database& database, std::int64_t incident_id, std::int64_t limit);

}  // namespace writecanary::storage
