#include "storage/tables/incident_course.h"

#include <algorithm>
#include <optional>

#include "storage/database/columns.h"
#include "storage/tables/events.h"
#include "storage/tables/incidents.h"
#include "storage/tables/rows.h"
#include "storage/tables/totals.h"

namespace writecanary::storage {

namespace {

constexpr std::int64_t kDayMs = 24LL * 3600 * 1000;
// Findings that one transaction removes at most; no run brings more.
constexpr std::int64_t kTrimmedAtOnce = 400;
constexpr std::size_t kKeptOfARun = kLatestFindingsKept;

// A run that did not come to its end has not looked at all that it wrote.
bool has_looked(Verdict verdict) {
  switch (verdict) {
    case Verdict::kUnsupported:
    case Verdict::kError:
    case Verdict::kStuck:
    case Verdict::kStopped:
    case Verdict::kInterrupted:
      return false;
    default:
      return true;
  }
}

IncidentRow begin_incident(SQLite::Database& database, const RunRow& run, FindingKind kind) {
  IncidentRow incident;
  incident.target = run.target;
  incident.profile = run.result.profile;
  incident.kernel_release = run.result.kernel.release;
  incident.kind = kind;
  incident.fstype = run.result.filesystem.type;
  incident.first_seen_ms = *run.finished_at_ms;
  incident.opened_at_ms = *run.finished_at_ms;
  for (const TotalsRow& before : read_totals(database, incident.kernel_release)) {
    if (before.target != incident.target || before.profile != incident.profile) continue;
    incident.exposures_before = before.counters.exposures;
    for (const Verdict verdict : kAllVerdicts) {
      if (has_looked(verdict)) incident.runs_before += before.runs_by_verdict[static_cast<std::size_t>(verdict)];
    }
  }
  incident.id = insert_incident(database, incident);
  return incident;
}

void open_again(IncidentRow& incident, std::int64_t now_ms) {
  incident.state = IncidentState::kOpen;
  incident.opened_at_ms = now_ms;
  ++incident.times_opened;
  incident.resolved_at_ms.reset();
  incident.resolved_on.clear();
  incident.known.reset();
}

// Why the incident, which is known or resolved, does not stay so after a finding; nullptr: it does.
const char* why_open_again(const IncidentRow& incident) {
  if (incident.state == IncidentState::kResolved) return "it was found again";
  if (incident.state != IncidentState::kKnown || incident.known->until != KnownUntil::kRate) return nullptr;
  const Measured before{.findings = incident.known_findings, .exposures = incident.known_exposures};
  const Measured since{.findings = incident.findings - incident.known_findings,
                       .exposures = incident.all_exposures() - incident.known_exposures};
  return rate_rose(before, since) ? "its rate rose" : nullptr;
}

void keep_findings(SQLite::Database& database, const RunRow& run, const IncidentRow& incident,
                   std::span<const Finding> findings, std::vector<std::int64_t>& ids) {
  std::size_t kept = 0;
  for (const Finding& finding : findings) {
    if (finding.kind != incident.kind || kept == kKeptOfARun) continue;
    ++kept;
    FindingRow row;
    row.run_id = run.id;
    row.incident_id = incident.id;
    row.target = run.target;
    row.profile = run.result.profile;
    row.kernel_release = run.result.kernel.release;
    row.fstype = run.result.filesystem.type;
    row.found_at_ms = *run.finished_at_ms;
    row.finding = finding;
    if (incident.known) {
      row.acknowledged_at_ms = incident.known->at_ms;
      row.acknowledged_by = incident.known->by;
      row.note = incident.known->note;
    }
    ids.push_back(insert_finding(database, row));
  }
  trim_findings(database, incident.id, kTrimmedAtOnce);
}

std::uint64_t exposures_of(const RunRow& run) { return run.result.end.counters.exposures; }

// A run that found it, on its own release. Returns the incident with what was kept.
void add_findings(SQLite::Database& database, IncidentRow incident, bool is_new, const RunRow& run,
                  std::span<const Finding> findings, std::uint64_t count, std::vector<std::int64_t>& ids) {
  incident.last_seen_ms = *run.finished_at_ms;
  incident.last_run_id = run.id;
  ++incident.runs_with;
  ++incident.runs;
  incident.findings += count;
  incident.exposures += exposures_of(run);
  incident.here = {incident.kernel_release, 0, 0};
  incident.elsewhere = {};
  const char* why = is_new ? nullptr : why_open_again(incident);
  if (why != nullptr) open_again(incident, *run.finished_at_ms);
  update_incident(database, incident);
  add_to_day(database, incident.id, {*run.finished_at_ms / kDayMs, 1, 1, exposures_of(run), count});
  keep_findings(database, run, incident, findings, ids);
  if (is_new) append_incident(database, "incident.opened", *run.finished_at_ms, incident, run.id, "");
  if (why != nullptr) append_incident(database, "incident.reopened", *run.finished_at_ms, incident, run.id, why);
}

// A run that was exposed and did not find it.
void add_without(SQLite::Database& database, IncidentRow incident, const RunRow& run) {
  const bool here = incident.kernel_release == run.result.kernel.release;
  if (!here && incident.state == IncidentState::kResolved) return;
  WithoutFinding& without = here ? incident.here : incident.elsewhere;
  if (without.release != run.result.kernel.release) without = {run.result.kernel.release, 0, 0};
  without.exposures += exposures_of(run);
  ++without.runs;
  if (here) {
    incident.exposures += exposures_of(run);
    ++incident.runs;
    incident.elsewhere = {};
    add_to_day(database, incident.id, {*run.finished_at_ms / kDayMs, 1, 0, exposures_of(run), 0});
  }
  const Measured seen = incident.seen();
  const bool over = incident.state != IncidentState::kResolved && without.exposures >= exposures_to_resolve(seen) &&
                    without.runs >= runs_to_resolve(seen);
  if (over) {
    incident.state = IncidentState::kResolved;
    incident.resolved_at_ms = run.finished_at_ms;
    incident.resolved_on = without.release;
  }
  update_incident(database, incident);
  if (over) append_incident(database, "incident.resolved", *run.finished_at_ms, incident, run.id, "");
}

// A run that found the same on another release: that one has it too.
void found_elsewhere(SQLite::Database& database, IncidentRow incident, const RunRow& run) {
  if (incident.state == IncidentState::kResolved) return;
  incident.elsewhere = {run.result.kernel.release, 0, 0};
  update_incident(database, incident);
}

}  // namespace

std::vector<std::int64_t> follow_run(SQLite::Database& database, const RunRow& run, std::span<const Finding> findings) {
  const auto before = incidents_of(database, run.target, run.result.profile);
  const FindingTally& tally = run.result.end.tally;
  std::vector<std::int64_t> ids;
  for (const FindingKind kind : kAllFindingKinds) {
    // A finding that no tally counts was made by whoever watches over the probe.
    const auto reported = static_cast<std::uint64_t>(std::ranges::count(findings, kind, &Finding::kind));
    const std::uint64_t count = std::max(tally.count_of(kind), reported);
    if (count == 0) continue;
    const auto known = std::ranges::find_if(before, [&](const IncidentRow& each) {
      return each.kind == kind && each.kernel_release == run.result.kernel.release;
    });
    const bool is_new = known == before.end();
    add_findings(database, is_new ? begin_incident(database, run, kind) : *known, is_new, run, findings, count, ids);
  }
  if (!has_looked(*run.verdict) || exposures_of(run) == 0) return ids;
  for (const IncidentRow& incident : before) {
    const bool found = tally.count_of(incident.kind) != 0;
    if (!found) add_without(database, incident, run);
    if (found && incident.kernel_release != run.result.kernel.release) found_elsewhere(database, incident, run);
  }
  return ids;
}

bool make_known(SQLite::Database& database, IncidentRow incident, const Acknowledgement& acknowledgement) {
  if (incident.state == IncidentState::kResolved) return false;
  incident.state = IncidentState::kKnown;
  incident.known = acknowledgement;
  incident.known_findings = incident.findings;
  incident.known_exposures = incident.all_exposures();
  update_incident(database, incident);
  SQLite::Statement findings(database,
                             "UPDATE findings SET acknowledged_at_ms = ?, acknowledged_by = ?, note = ? WHERE "
                             "incident_id = ? AND acknowledged_at_ms IS NULL");
  Binder(findings) << acknowledgement.at_ms << acknowledgement.by << acknowledgement.note << incident.id;
  findings.exec();
  append_incident(database, "incident.acknowledged", acknowledgement.at_ms, incident, std::nullopt, "");
  return true;
}

std::size_t reopen_due(SQLite::Database& database, std::int64_t now_ms) {
  auto due = incidents_known_until(database, now_ms);
  for (IncidentRow& incident : due) {
    open_again(incident, now_ms);
    update_incident(database, incident);
    append_incident(database, "incident.reopened", now_ms, incident, std::nullopt, "its date is over");
  }
  return due.size();
}

}  // namespace writecanary::storage
