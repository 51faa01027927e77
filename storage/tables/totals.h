// Sums over finished runs that outlive the runs themselves: what the counters in /metrics and GET /kernels are made of.
// One row per target, profile, kernel and verdict is added to in the transaction of a run's end; the sums that are
// shown are folded from these few rows.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/tables/records.h"

namespace writecanary::storage {

// Adds a finished run. The event id of its end tells which run of several was the last.
void add_to_totals(SQLite::Database& database, const RunRow& run, std::int64_t event_id);

// One per target and profile, in that order; with a release only what was made on that kernel.
std::vector<TotalsRow> read_totals(const SQLite::Database& database,
                                   const std::optional<std::string>& release = std::nullopt);
// One per kernel release, last seen first. Runs that never told their kernel are left out.
std::vector<KernelRow> read_kernels(const SQLite::Database& database);

}  // namespace writecanary::storage
