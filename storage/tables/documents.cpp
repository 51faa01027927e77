#include "storage/tables/documents.h"

#include "core/text/units.h"

namespace writecanary::storage {

namespace {

nlohmann::json timestamp(std::optional<std::int64_t> unix_ms) {
  return unix_ms ? nlohmann::json(format_timestamp(*unix_ms)) : nlohmann::json(nullptr);
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
