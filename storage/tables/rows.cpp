#include "storage/tables/rows.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "core/base/json_text.h"
#include "storage/tables/documents.h"

namespace writecanary::storage {

namespace {

// What RunRow has in the table itself, in the order of bind_run and run_of.
std::string run_columns() {
  return "target, profile, trigger, requested_by, state, verdict, queued_at_ms, started_at_ms, finished_at_ms, spec, "
         "seed, pressure_backend, pressure_directory, pressure_reason, reason, duration_seconds, "
         "first_finding_seconds, " +
         counter_names() + ", tally, attribution";
}
constexpr std::size_t kRunColumns = 17 + kCounterColumns.size() + 2;

constexpr const char* kFindingColumns =
    "run_id, incident_id, target, profile, kernel_release, fstype, found_at_ms, acknowledged_at_ms, acknowledged_by, "
    "note, document";

void bind_run(Binder& out, const RunRow& run) {
  const RunResult& result = run.result;
  out << run.target << result.profile << run.trigger << run.requested_by << run.state << run.verdict << run.queued_at_ms
      << run.started_at_ms << run.finished_at_ms << run.spec_json << result.seed << result.pressure.backend
      << result.pressure.directory << result.pressure.reason << result.end.reason << result.end.duration_seconds
      << result.end.first_finding_seconds << result.end.counters << result.end.tally
      << json_text(result.end.attribution);
}

// The id of the row in a table of facts, made when it is not there yet; nothing for unknown facts.
template <typename... Facts>
std::optional<std::int64_t> intern(SQLite::Database& database, const char* table, const char* columns,
                                   const std::string& first, const Facts&... others) {
  if (first.empty()) return std::nullopt;
  const std::string values = parameters(1 + sizeof...(others));
  SQLite::Statement insert(database, fmt::format("INSERT OR IGNORE INTO {} ({}) VALUES ({})", table, columns, values));
  ((Binder(insert) << first) << ... << others);
  insert.exec();
  SQLite::Statement select(database, fmt::format("SELECT id FROM {} WHERE ({}) = ({})", table, columns, values));
  ((Binder(select) << first) << ... << others);
  select.executeStep();
  return select.getColumn(0).getInt64();
}

// The references to the tables of facts.
void bind_facts(SQLite::Database& database, Binder& out, const RunRow& run) {
  const KernelFacts& kernel = run.result.kernel;
  const FilesystemFacts& filesystem = run.result.filesystem;
  out << intern(database, "kernels", "release, version, machine", kernel.release, kernel.version, kernel.machine)
      << kernel.release
      << intern(database, "filesystems", "type, source, mount_point, options", filesystem.type, filesystem.source,
                filesystem.mount_point, filesystem.options)
      << intern(database, "volumes", "device, uuid", filesystem.device, filesystem.uuid);
}
constexpr const char* kFactColumns = "kernel_id, kernel_release, filesystem_id, volume_id";
constexpr std::size_t kFactColumnCount = 4;

template <typename Row>
std::optional<Row> find_row(const SQLite::Database& database, const std::string& sql, std::int64_t id,
                            Row (*row_of)(const SQLite::Statement&)) {
  SQLite::Statement select(database, sql);
  Binder(select) << id;
  if (!select.executeStep()) return std::nullopt;
  return row_of(select);
}

}  // namespace

std::string counter_names() {
  std::vector<std::string_view> names;
  names.reserve(kCounterColumns.size());
  for (const CounterColumn& column : kCounterColumns) names.emplace_back(column.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string parameters(std::size_t count) {
  return fmt::format("{}", fmt::join(std::vector<const char*>(count, "?"), ", "));
}

Binder& operator<<(Binder& out, const RunCounters& counters) {
  for (const CounterColumn& column : kCounterColumns) out << counters.*column.member;
  return out;
}

RowReader& operator>>(RowReader& in, RunCounters& counters) {
  for (const CounterColumn& column : kCounterColumns) in >> counters.*column.member;
  return in;
}

Binder& operator<<(Binder& out, const FindingTally& tally) { return out << json_text(tally); }

RowReader& operator>>(RowReader& in, FindingTally& tally) {
  std::string text;
  in >> text;
  tally = nlohmann::json::parse(text).get<FindingTally>();
  return in;
}

const std::string& select_runs() {
  static const std::string sql = fmt::format(
      "SELECT runs.id, {}, kernel_release, kernels.version, kernels.machine, filesystems.type, filesystems.source, "
      "filesystems.mount_point, filesystems.options, volumes.device, volumes.uuid FROM runs LEFT JOIN kernels ON "
      "kernels.id = runs.kernel_id LEFT JOIN filesystems ON filesystems.id = runs.filesystem_id LEFT JOIN volumes ON "
      "volumes.id = runs.volume_id",
      run_columns());
  return sql;
}

RunRow run_of(const SQLite::Statement& row) {
  RunRow run;
  RunResult& result = run.result;
  RowReader in(row);
  std::string attribution;
  in >> run.id >> run.target >> result.profile >> run.trigger >> run.requested_by >> run.state >> run.verdict >>
      run.queued_at_ms >> run.started_at_ms >> run.finished_at_ms >> run.spec_json >> result.seed >>
      result.pressure.backend >> result.pressure.directory >> result.pressure.reason >> result.end.reason >>
      result.end.duration_seconds >> result.end.first_finding_seconds >> result.end.counters >> result.end.tally >>
      attribution >> result.kernel.release >> result.kernel.version >> result.kernel.machine >>
      result.filesystem.type >> result.filesystem.source >> result.filesystem.mount_point >>
      result.filesystem.options >> result.filesystem.device >> result.filesystem.uuid;
  if (run.verdict) result.end.verdict = *run.verdict;
  result.end.attribution = nlohmann::json::parse(attribution).get<Attribution>();
  return run;
}

const std::string& select_findings() {
  static const std::string sql = fmt::format("SELECT id, {} FROM findings", kFindingColumns);
  return sql;
}

FindingRow finding_of(const SQLite::Statement& row) {
  FindingRow finding;
  std::string document;
  RowReader(row) >> finding.id >> finding.run_id >> finding.incident_id >> finding.target >> finding.profile >>
      finding.kernel_release >> finding.fstype >> finding.found_at_ms >> finding.acknowledged_at_ms >>
      finding.acknowledged_by >> finding.note >> document;
  finding.finding = nlohmann::json::parse(document).get<Finding>();
  return finding;
}

std::optional<RunRow> find_run(const SQLite::Database& database, std::int64_t id) {
  return find_row(database, select_runs() + " WHERE runs.id = ?", id, run_of);
}

std::optional<FindingRow> find_finding(const SQLite::Database& database, std::int64_t id) {
  return find_row(database, select_findings() + " WHERE id = ?", id, finding_of);
}

std::vector<TargetRow> read_targets(const SQLite::Database& database) {
  SQLite::Statement select(database, "SELECT name, path, paused, paused_note FROM targets ORDER BY name");
  std::vector<TargetRow> targets;
  while (select.executeStep()) {
    TargetRow& target = targets.emplace_back();
    RowReader(select) >> target.name >> target.path >> target.paused >> target.paused_note;
  }
  return targets;
}

std::int64_t insert_run(SQLite::Database& database, const RunRow& run) {
  SQLite::Statement insert(database, fmt::format("INSERT INTO runs ({}, {}) VALUES ({})", run_columns(), kFactColumns,
                                                 parameters(kRunColumns + kFactColumnCount)));
  Binder values(insert);
  bind_run(values, run);
  bind_facts(database, values, run);
  insert.exec();
  return database.getLastInsertRowid();
}

void update_run(SQLite::Database& database, const RunRow& run) {
  SQLite::Statement update(database, fmt::format("UPDATE runs SET ({}, {}) = ({}) WHERE id = ?", run_columns(),
                                                 kFactColumns, parameters(kRunColumns + kFactColumnCount)));
  Binder values(update);
  bind_run(values, run);
  bind_facts(database, values, run);
  values << run.id;
  update.exec();
}

std::int64_t insert_finding(SQLite::Database& database, const FindingRow& finding) {
  SQLite::Statement insert(database,
                           fmt::format("INSERT INTO findings ({}, kind) VALUES ({})", kFindingColumns, parameters(12)));
  Binder(insert) << finding.run_id << finding.incident_id << finding.target << finding.profile << finding.kernel_release
                 << finding.fstype << finding.found_at_ms << finding.acknowledged_at_ms << finding.acknowledged_by
                 << finding.note << json_text(finding.finding) << finding.finding.kind;
  insert.exec();
  return database.getLastInsertRowid();
}

}  // namespace writecanary::storage
