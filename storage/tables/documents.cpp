#include "storage/tables/documents.h"

#include "core/base/upper_bound.h"
#include "core/text/units.h"

namespace writecanary::storage {

namespace {

nlohmann::json timestamp(std::optional<std::int64_t> unix_ms) {
  return unix_ms ? nlohmann::json(format_timestamp(*unix_ms)) : nlohmann::json(nullptr);
}

nlohmann::json or_null(const std::optional<double>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

nlohmann::json known_json(const Acknowledgement& known) {
  return {
      {"at", timestamp(known.at_ms)},
      {"by", known.by},
      {"note", known.note},
      {"until", known.until == KnownUntil::kDate ? timestamp(known.until_ms) : nlohmann::json(to_string(known.until))}};
}

}  // namespace

nlohmann::json run_json(const RunRow& run) {
  nlohmann::json document = run_document(run.result);
  document.erase("findings");
  document["id"] = run.id;
  document["target"] = run.target;
  document["state"] = to_string(run.state);
  document["verdict"] = run.verdict ? nlohmann::json(to_string(*run.verdict)) : nlohmann::json(nullptr);
  document["trigger"] = run.trigger;
  document["requested_by"] = run.requested_by;
  document["queued_at"] = timestamp(run.queued_at_ms);
  document["started_at"] = timestamp(run.started_at_ms);
  document["finished_at"] = timestamp(run.finished_at_ms);
  document["kernel"] = run.result.kernel;
  document["filesystem"] = run.result.filesystem;
  return document;
}

nlohmann::json finding_json(const FindingRow& finding) {
  nlohmann::json document = finding.finding;
  document["id"] = finding.id;
  document["run_id"] = finding.run_id;
  document["incident_id"] = finding.incident_id;
  document["target"] = finding.target;
  document["profile"] = finding.profile;
  document["kernel_release"] = finding.kernel_release;
  document["fstype"] = finding.fstype;
  document["found_at"] = timestamp(finding.found_at_ms);
  document["acknowledged"] = finding.acknowledged_at_ms.has_value();
  document["acknowledged_at"] = timestamp(finding.acknowledged_at_ms);
  document["acknowledged_by"] = finding.acknowledged_by;
  document["note"] = finding.note;
  return document;
}

nlohmann::json incident_json(const IncidentRow& incident) {
  const Measured seen = incident.seen();
  const WithoutFinding& without = incident.elsewhere.runs != 0 ? incident.elsewhere : incident.here;
  return {{"id", incident.id},
          {"kind", to_string(incident.kind)},
          {"class", to_string(class_of(incident.kind))},
          {"target", incident.target},
          {"profile", incident.profile},
          {"kernel_release", incident.kernel_release},
          {"fstype", incident.fstype},
          {"state", to_string(incident.state)},
          {"first_seen_at", timestamp(incident.first_seen_ms)},
          {"last_seen_at", timestamp(incident.last_seen_ms)},
          {"last_run_id", incident.last_run_id},
          {"opened_at", timestamp(incident.opened_at_ms)},
          {"times_opened", incident.times_opened},
          {"runs", incident.runs_with},
          {"findings", incident.findings},
          {"exposures", incident.exposures},
          {"exposures_before", incident.exposures_before},
          {"rate", seen.exposures == 0
                       ? nlohmann::json()
                       : nlohmann::json(static_cast<double>(seen.findings) / static_cast<double>(seen.exposures))},
          {"rate_lower_bound_95", or_null(rate_lower_bound_95(seen.findings, seen.exposures))},
          {"rate_upper_bound_95", or_null(rate_upper_bound_95(seen.findings, seen.exposures))},
          {"known", incident.known ? known_json(*incident.known) : nlohmann::json()},
          {"without_finding",
           {{"kernel_release", without.release},
            {"exposures", without.exposures},
            {"exposures_to_resolve", exposures_to_resolve(seen)},
            {"runs", without.runs},
            {"runs_to_resolve", runs_to_resolve(seen)}}},
          {"resolved_at", timestamp(incident.resolved_at_ms)},
          {"resolved_on", incident.resolved_at_ms ? nlohmann::json(incident.resolved_on) : nlohmann::json()}};
}

nlohmann::json incident_day_json(const IncidentDay& day) {
  constexpr std::int64_t kDayMs = 24LL * 3600 * 1000;
  return {{"day", format_timestamp(day.day * kDayMs).substr(0, 10)},
          {"runs", day.runs},
          {"runs_with_findings", day.runs_with},
          {"exposures", day.exposures},
          {"findings", day.findings}};
}

nlohmann::json audit_json(const AuditRow& row) {
  return {{"id", row.id},
          {"at", timestamp(row.at_ms)},
          {"who", row.who},
          {"address", row.address},
          {"request_id", row.request_id},
          {"method", row.method},
          {"path", row.path},
          {"outcome", row.outcome ? nlohmann::json(*row.outcome) : nlohmann::json(nullptr)},
          {"detail", row.detail}};
}

}  // namespace writecanary::storage
