// Writes the end of a run: the run itself, its incidents with the findings that they keep, the totals and the events
// that tell of it. Everything or nothing, in the caller's transaction.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <span>
#include <vector>

#include "storage/tables/records.h"

namespace writecanary::storage {

// `run` is as it shall stand: finished, with verdict and time of end. Returns the ids of
// the findings that are kept.
std::vector<std::int64_t> end_run(SQLite::Database& database, const RunRow& run, std::span<const Finding> findings);

}  // namespace writecanary::storage
