// Runs and findings as the JSON documents that clients see. They stand here, beside the rows, because stored events
// carry the very same documents as the API's answers.
//
// What is known only while a run is in progress (its live counters, its progress) is added by whoever knows it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "storage/tables/incident_records.h"
#include "storage/tables/records.h"

namespace writecanary::storage {

// The run without `spec` and `findings`, which only the answer for a single run has. `verdict` is null until the run
// has finished; times are RFC 3339 or null.
nlohmann::json run_json(const RunRow& run);

nlohmann::json finding_json(const FindingRow& finding);

nlohmann::json incident_json(const IncidentRow& incident);
nlohmann::json incident_day_json(const IncidentDay& day);
nlohmann::json audit_json(const AuditRow& row);

}  // namespace writecanary::storage
