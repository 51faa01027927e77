// Rows of the tables `runs`, `findings` and `targets` to and from their structs. One list of columns serves reading and
// writing, so that they cannot drift apart. All functions may throw SQLite::Exception and nlohmann::json::exception;
// they run inside guarded() and a transaction of the caller.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/database/columns.h"
#include "storage/tables/records.h"

namespace writecanary::storage {

struct CounterColumn {
  const char* name;
  std::uint64_t RunCounters::*member;
};

// `runs` and `totals` have these columns, in this order.
inline constexpr std::array kCounterColumns = {CounterColumn{"writes", &RunCounters::writes},
                                               CounterColumn{"inline_writes", &RunCounters::inline_writes},
                                               CounterColumn{"punted", &RunCounters::punted},
                                               CounterColumn{"partial", &RunCounters::partial},
                                               CounterColumn{"disarmed", &RunCounters::disarmed},
                                               CounterColumn{"exposures", &RunCounters::exposures},
                                               CounterColumn{"short_results", &RunCounters::short_results},
                                               CounterColumn{"cqe_enomem", &RunCounters::cqe_enomem},
                                               CounterColumn{"bytes_written", &RunCounters::bytes_written},
                                               CounterColumn{"bytes_verified", &RunCounters::bytes_verified},
                                               CounterColumn{"files", &RunCounters::files},
                                               CounterColumn{"files_cold", &RunCounters::files_cold},
                                               CounterColumn{"limit_hits", &RunCounters::limit_hits},
                                               CounterColumn{"oom_kills", &RunCounters::oom_kills}};

static_assert(kCounterColumns.size() * sizeof(std::uint64_t) == sizeof(RunCounters), "a counter has no column");

// "writes, inline_writes, ..."
std::string counter_names();
// "?, ?, ?": that many parameters.
std::string parameters(std::size_t count);

Binder& operator<<(Binder& out, const RunCounters& counters);
RowReader& operator>>(RowReader& in, RunCounters& counters);
// The tally is one JSON column, so that a new finding kind needs no migration.
Binder& operator<<(Binder& out, const FindingTally& tally);
RowReader& operator>>(RowReader& in, FindingTally& tally);

// `SELECT ... FROM runs ...` to which a WHERE may be added, for run_of.
const std::string& select_runs();
RunRow run_of(const SQLite::Statement& row);
const std::string& select_findings();
FindingRow finding_of(const SQLite::Statement& row);

std::optional<RunRow> find_run(const SQLite::Database& database, std::int64_t id);
std::optional<FindingRow> find_finding(const SQLite::Database& database, std::int64_t id);

// In the order of their names, also those that are no longer configured.
std::vector<TargetRow> read_targets(const SQLite::Database& database);

// The id in the row is not looked at; the new one is returned.
std::int64_t insert_run(SQLite::Database& database, const RunRow& run);
// Writes every column of the run with this id.
void update_run(SQLite::Database& database, const RunRow& run);
std::int64_t insert_finding(SQLite::Database& database, const FindingRow& finding);

}  // namespace writecanary::storage
