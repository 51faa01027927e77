// The course of incidents: what the end of a run, an acknowledgement and the passing of time make of them. Each change
// is an event, in the caller's transaction.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <span>
#include <vector>

#include "storage/tables/incident_records.h"
#include "storage/tables/records.h"

namespace writecanary::storage {

// After a run has ended, and before it is in the totals: opens, continues, reopens and resolves incidents of its
// target and profile, and keeps the first few of its findings of each kind. Returns the ids of those.
std::vector<std::int64_t> follow_run(SQLite::Database& database, const RunRow& run, std::span<const Finding> findings);

// Makes an open or a known incident known, and its findings acknowledged. Not one that is resolved: false.
bool make_known(SQLite::Database& database, IncidentRow incident, const Acknowledgement& acknowledgement);

// Opens what was known until a date that is over. Returns how many.
std::size_t reopen_due(SQLite::Database& database, std::int64_t now_ms);

}  // namespace writecanary::storage
