#include "storage/tables/incidents.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "storage/database/columns.h"
#include "storage/tables/rows.h"

namespace writecanary::storage {

namespace {

constexpr const char* kIncidentColumns =
    "target, profile, kernel_release, kind, class, fstype, state, first_seen_ms, last_seen_ms, last_run_id, "
    "opened_at_ms, times_opened, runs_with, findings, runs_before, exposures_before, runs, exposures, here_exposures, "
    "here_runs, elsewhere_release, elsewhere_exposures, elsewhere_runs, resolved_at_ms, resolved_on, known_at_ms, "
    "known_by, note, known_until, known_until_ms, known_findings, known_exposures";
constexpr std::size_t kIncidentColumnCount = 32;

void bind_incident(Binder& out, const IncidentRow& row) {
  out << row.target << row.profile << row.kernel_release << row.kind << std::string(to_string(class_of(row.kind)))
      << row.fstype << std::string(to_string(row.state)) << row.first_seen_ms << row.last_seen_ms << row.last_run_id
      << row.opened_at_ms << row.times_opened << row.runs_with << row.findings << row.runs_before
      << row.exposures_before << row.runs << row.exposures << row.here.exposures << row.here.runs
      << row.elsewhere.release << row.elsewhere.exposures << row.elsewhere.runs << row.resolved_at_ms
      << row.resolved_on;
  const auto& known = row.known;
  out << (known ? std::optional(known->at_ms) : std::nullopt) << (known ? known->by : "") << (known ? known->note : "")
      << (known ? std::optional(std::string(to_string(known->until))) : std::nullopt)
      << (known ? known->until_ms : std::nullopt) << row.known_findings << row.known_exposures;
}

std::string select_incidents() { return fmt::format("SELECT id, {} FROM incidents", kIncidentColumns); }

std::vector<IncidentRow> all_incidents(SQLite::Statement& select) {
  std::vector<IncidentRow> rows;
  while (select.executeStep()) rows.push_back(incident_of(select));
  return rows;
}

// The id of the finding so far from the one end of the incident's; nothing when there are fewer.
std::optional<std::int64_t> nth_finding(const SQLite::Database& database, std::int64_t incident_id, const char* order,
                                        int number) {
  SQLite::Statement select(
      database, fmt::format("SELECT id FROM findings WHERE incident_id = ? ORDER BY id {} LIMIT 1 OFFSET ?", order));
  Binder(select) << incident_id << std::int64_t{number - 1};
  if (!select.executeStep()) return std::nullopt;
  return select.getColumn(0).getInt64();
}

}  // namespace

Measured IncidentRow::seen() const {
  return {.findings = findings,
          .exposures = all_exposures() - here.exposures,
          .runs_with = runs_with,
          .runs = runs_before + runs - here.runs};
}

Query incidents_query(const IncidentFilter& filter) {
  Query query;
  query.sql = select_incidents() + " WHERE id < ?";
  query.values.emplace_back(filter.before_id.value_or(std::numeric_limits<std::int64_t>::max()));
  const auto equal = [&](const char* column, const std::string& value) {
    query.sql += fmt::format(" AND {} = ?", column);
    query.values.emplace_back(value);
  };
  if (!filter.states.empty()) {
    query.sql += fmt::format(" AND state IN ({})", parameters(filter.states.size()));
    for (const auto state : filter.states) query.values.emplace_back(std::string(to_string(state)));
  }
  if (!filter.ids.empty()) {
    query.sql += fmt::format(" AND id IN ({})", parameters(filter.ids.size()));
    query.values.insert(query.values.end(), filter.ids.begin(), filter.ids.end());
  }
  if (filter.kind) equal("kind", std::string(to_string(*filter.kind)));
  if (filter.finding_class) equal("class", std::string(to_string(*filter.finding_class)));
  if (filter.target) equal("target", *filter.target);
  if (filter.profile) equal("profile", *filter.profile);
  if (filter.release) equal("kernel_release", *filter.release);
  query.sql += " ORDER BY id DESC LIMIT ?";
  query.values.emplace_back(std::int64_t{std::max(filter.limit, 0)});
  return query;
}

IncidentRow incident_of(const SQLite::Statement& row) {
  IncidentRow incident;
  std::string of_class, state, known_by, note, until;
  std::optional<std::int64_t> known_at_ms, until_ms;
  RowReader(row) >> incident.id >> incident.target >> incident.profile >> incident.kernel_release >> incident.kind >>
      of_class >> incident.fstype >> state >> incident.first_seen_ms >> incident.last_seen_ms >> incident.last_run_id >>
      incident.opened_at_ms >> incident.times_opened >> incident.runs_with >> incident.findings >>
      incident.runs_before >> incident.exposures_before >> incident.runs >> incident.exposures >>
      incident.here.exposures >> incident.here.runs >> incident.elsewhere.release >> incident.elsewhere.exposures >>
      incident.elsewhere.runs >> incident.resolved_at_ms >> incident.resolved_on >> known_at_ms >> known_by >> note >>
      until >> until_ms >> incident.known_findings >> incident.known_exposures;
  incident.here.release = incident.kernel_release;
  incident.state = parse_incident_state(state).value_or(IncidentState::kOpen);  // the schema checks it
  if (known_at_ms) {
    incident.known = {*known_at_ms, known_by, note, parse_known_until(until).value_or(KnownUntil::kKernel), until_ms};
  }
  return incident;
}

std::optional<IncidentRow> find_incident(const SQLite::Database& database, std::int64_t id) {
  SQLite::Statement select(database, select_incidents() + " WHERE id = ?");
  Binder(select) << id;
  if (!select.executeStep()) return std::nullopt;
  return incident_of(select);
}

std::vector<IncidentRow> incidents_of(const SQLite::Database& database, const std::string& target,
                                      const std::string& profile) {
  SQLite::Statement select(database, select_incidents() + " WHERE target = ? AND profile = ? ORDER BY id");
  Binder(select) << target << profile;
  return all_incidents(select);
}

std::vector<IncidentRow> open_incidents(const SQLite::Database& database) {
  SQLite::Statement select(database, select_incidents() + " WHERE state = 'open' ORDER BY id");
  return all_incidents(select);
}

std::vector<IncidentRow> incidents_known_until(const SQLite::Database& database, std::int64_t now_ms) {
  SQLite::Statement select(database, select_incidents() + " WHERE state = 'known' AND known_until_ms <= ? ORDER BY id");
  Binder(select) << now_ms;
  return all_incidents(select);
}

std::int64_t insert_incident(SQLite::Database& database, const IncidentRow& incident) {
  SQLite::Statement insert(database, fmt::format("INSERT INTO incidents ({}) VALUES ({})", kIncidentColumns,
                                                 parameters(kIncidentColumnCount)));
  Binder values(insert);
  bind_incident(values, incident);
  insert.exec();
  return database.getLastInsertRowid();
}

void update_incident(SQLite::Database& database, const IncidentRow& incident) {
  SQLite::Statement update(database, fmt::format("UPDATE incidents SET ({}) = ({}) WHERE id = ?", kIncidentColumns,
                                                 parameters(kIncidentColumnCount)));
  Binder values(update);
  bind_incident(values, incident);
  values << incident.id;
  update.exec();
}

void add_to_day(SQLite::Database& database, std::int64_t incident_id, const IncidentDay& day) {
  SQLite::Statement add(database,
                        "INSERT INTO incident_days (incident_id, day, runs, runs_with, exposures, findings) VALUES "
                        "(?, ?, ?, ?, ?, ?) ON CONFLICT (incident_id, day) DO UPDATE SET runs = runs + excluded.runs, "
                        "runs_with = runs_with + excluded.runs_with, exposures = exposures + excluded.exposures, "
                        "findings = findings + excluded.findings");
  Binder(add) << incident_id << day.day << day.runs << day.runs_with << day.exposures << day.findings;
  add.exec();
  SQLite::Statement forget(database, "DELETE FROM incident_days WHERE incident_id = ? AND day <= ?");
  Binder(forget) << incident_id << day.day - kIncidentDaysKept;
  forget.exec();
}

std::vector<IncidentDay> incident_days(const SQLite::Database& database, std::int64_t incident_id) {
  SQLite::Statement select(database,
                           "SELECT day, runs, runs_with, exposures, findings FROM incident_days WHERE incident_id = ? "
                           "ORDER BY day");
  Binder(select) << incident_id;
  std::vector<IncidentDay> days;
  while (select.executeStep()) {
    IncidentDay& day = days.emplace_back();
    RowReader(select) >> day.day >> day.runs >> day.runs_with >> day.exposures >> day.findings;
  }
  return days;
}

bool trim_findings(SQLite::Database& database, std::int64_t incident_id, std::int64_t limit) {
  const auto after = nth_finding(database, incident_id, "ASC", kFirstFindingsKept);
  const auto before = nth_finding(database, incident_id, "DESC", kLatestFindingsKept);
  if (!after || !before) return false;
  SQLite::Statement remove(database,
                           "DELETE FROM findings WHERE id IN (SELECT id FROM findings WHERE incident_id = ? AND id > ? "
                           "AND id < ? ORDER BY id LIMIT ?)");
  Binder(remove) << incident_id << *after << *before << limit;
  return remove.exec() != 0;
}

}  // namespace writecanary::storage
