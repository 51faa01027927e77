// What happened when: sums of finished runs by time, and the last runs of each target and profile. For a sentence such
// as "12,400 exposures in 24 h", for charts and for strips of verdicts.
//
// Read from the runs themselves, so it reaches as far back as these are kept; the sums of all time are
// storage/tables/totals.h.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <vector>

#include "storage/tables/records.h"

namespace writecanary::storage {

// In the order of time. Reads every run in between, from the index on the time: bound the time.
std::vector<ActivityRow> read_activity(const SQLite::Database& database, const ActivityFilter& filter);

// Of every target and profile that ever ran, or of one target or profile alone: its last finished runs, oldest first.
std::vector<HistoryRow> read_history(const SQLite::Database& database, const HistoryFilter& filter);

}  // namespace writecanary::storage
