#include "api/openapi/openapi_schemas.h"

#include <algorithm>

#include "api/refusal/limits.h"
#include "core/base/limits.h"
#include "core/run/attribution.h"
#include "core/run/finding.h"
#include "core/run/verdict.h"

namespace writecanary::api {

nlohmann::json schema::object(const json& properties, const std::vector<std::string>& optional) {
  json required = json::array();
  for (const auto& [name, type] : properties.items()) {
    if (std::find(optional.begin(), optional.end(), name) == optional.end()) required.push_back(name);
  }
  return {{"type", "object"}, {"properties", properties}, {"required", required}};
}

namespace {

using nlohmann::json;
using schema::boolean, schema::integer, schema::list_of, schema::map_of, schema::names_of, schema::number,
    schema::object, schema::one_of, schema::or_null, schema::reference, schema::text, schema::time, schema::verdict;

json kernel_facts() { return object({{"release", text()}, {"version", text()}, {"machine", text()}}); }
json pressure_facts() {
  return object({{"backend", one_of({"cgroup2", "cgroup1", "none", ""})}, {"directory", text()}, {"reason", text()}});
}
json filesystem_facts() {
  return object({{"type", text()},
                 {"source", text()},
                 {"mount_point", text()},
                 {"options", text()},
                 {"device", text("Major and minor number; two mounts of one filesystem have the same")},
                 {"uuid", text("Tells a filesystem from one that was made in its place; empty: not known")}});
}
// Of a target: as the mount table has it now, and as the last run found it.
json mounted_filesystem() {
  json schema = filesystem_facts();
  schema["properties"].erase("uuid");
  schema["required"].erase(std::ranges::find(schema["required"], "uuid"));
  return schema;
}
json tested_filesystem() {
  json schema = filesystem_facts();
  schema["properties"]["run"] = integer(1);
  schema["required"].push_back("run");
  return schema;
}
json look() { return or_null(one_of({"right", "wrong"})); }
json variant_rate() {
  return object({{"variant", one_of(names_of(kAllVariants))},
                 {"runs", integer()},
                 {"runs_with_findings", integer()},
                 {"writes", integer()},
                 {"exposures", integer()},
                 {"findings", integer()}});
}
json finding_kind() { return one_of(names_of(kAllFindingKinds)); }

json write_schema() {
  return object({{"index", integer()},
                 {"writer", integer()},
                 {"stream_offset_bytes", integer()},
                 {"length_bytes", integer()},
                 {"route", one_of(names_of(kAllRoutes))},
                 {"result", {{"type", "integer"}}},
                 {"inline_bytes", integer()},
                 {"disarmed", boolean()},
                 {"at_us", integer()}});
}

json finding_schema() {
  return object({{"id", integer(1)},
                 {"run_id", integer(1)},
                 {"incident_id", integer(1)},
                 {"target", text()},
                 {"profile", text()},
                 {"kernel_release", text()},
                 {"fstype", text()},
                 {"found_at", time()},
                 {"acknowledged", boolean()},
                 {"acknowledged_at", or_null(time())},
                 {"acknowledged_by", text()},
                 {"note", text()},
                 {"kind", finding_kind()},
                 {"class", one_of(names_of(kAllFindingClasses))},
                 {"file", text("Name inside the run's directory")},
                 {"offset_bytes", integer()},
                 {"length_bytes", integer()},
                 {"source_offset_bytes", or_null(integer())},
                 {"page_aligned", boolean()},
                 {"write", or_null(reference("Write"))},
                 {"intruder", or_null(reference("Write"))},
                 {"context_offset_bytes", integer()},
                 {"expected_hex", text()},
                 {"found_hex", text()},
                 {"detail", text("One sentence with the figures")},
                 {"views", object({{"hot", look()}, {"cold", look()}, {"direct", look()}})},
                 {"operations", list_of(text("That the failure needs, in order; of mixed-model"))}},
                {"operations"});
}

json run_schema() {
  json properties = {
      {"id", integer(1)},
      {"target", text()},
      {"profile", text()},
      {"state", one_of(names_of(std::array{RunState::kQueued, RunState::kRunning, RunState::kFinished}))},
      {"verdict", or_null(verdict())},
      {"reason", text("How the verdict was reached, in words")},
      {"trigger", one_of({"schedule", "api", "startup"})},
      {"requested_by", text()},
      {"seed", schema::seed()},
      {"queued_at", time()},
      {"started_at", or_null(time())},
      {"finished_at", or_null(time())},
      {"duration_seconds", number()},
      {"first_finding_seconds", or_null(number())},
      {"finding_counts", map_of(integer())},
      {"finding_bytes", map_of(integer())},
      {"attribution", list_of(variant_rate())},
      {"kernel", kernel_facts()},
      {"filesystem", filesystem_facts()},
      {"pressure", pressure_facts()},
      {"spec", or_null({{"type", "object"}})},
      {"findings", list_of(reference("Finding"))},
      {"progress", object({{"elapsed_seconds", number()}, {"fraction", number()}})}};
  for (const char* counter :
       {"writes", "inline", "punted", "partial", "disarmed", "exposures", "short_results", "cqe_enomem",
        "bytes_written", "bytes_verified", "files", "files_cold", "limit_hits", "oom_kills"}) {
    properties[counter] = integer();
  }
  return object(properties, {"spec", "findings", "progress"});
}

json target_profile_schema() {
  return object({{"profile", text()},
                 {"last_verdict", or_null(verdict())},
                 {"last_run", or_null(integer(1))},
                 {"last_run_at", or_null(time())},
                 {"last_clean_at", or_null(time())},
                 {"next_run_at", or_null(time())},
                 {"runs_by_verdict", map_of(integer())},
                 {"writes", integer()},
                 {"exposures", integer()},
                 {"finding_counts", map_of(integer())}});
}

json target_schema() {
  return object({{"name", text()},
                 {"path", text()},
                 {"mounted", boolean()},
                 {"filesystem", mounted_filesystem()},
                 {"tested", or_null(tested_filesystem())},
                 {"same_filesystem", list_of(text("Another target that is on it"))},
                 {"state", one_of({"idle", "running", "stuck", "not_mounted", "paused", "waiting"})},
                 {"state_reason", text("Why it is not idle or running, with the way out")},
                 {"paused", boolean()},
                 {"paused_note", text()},
                 {"current_run", or_null(integer(1))},
                 {"queued_runs", list_of(integer(1))},
                 {"bytes_today", integer()},
                 {"bytes_per_day_max", integer()},
                 {"profiles", list_of(target_profile_schema())}});
}

json status_schema() {
  return object(
      {{"version", text()},
       {"revision", text()},
       {"hostname", text()},
       {"kernel", kernel_facts()},
       {"started_at", time()},
       {"uptime_seconds", number()},
       {"ready", boolean()},
       {"not_ready_reason", text()},
       {"database", object({{"path", text()}, {"size_bytes", integer()}})},
       {"config", object({{"path", text()}, {"reload_successful", boolean()}, {"reload_error", text()}})},
       {"pressure", pressure_facts()},
       {"self_test", reference("SelfTest")},
       {"notices", list_of(text("What a person should know of the state directory or the clock, and do"))},
       {"known_issues", list_of(reference("KnownIssue"))},
       {"targets", integer()},
       {"runs_in_progress", list_of(integer(1))},
       {"verdicts", map_of(integer())},
       {"incidents", object({{"open", map_of(integer())}, {"known", integer()}, {"of_other_kernels", integer()}})},
       {"summary", text("All of it in one sentence")}});
}

json self_test_schema() {
  const json detector = object({{"kind", finding_kind()},
                                {"ok", boolean()},
                                {"detected", boolean()},
                                {"exact", boolean()},
                                {"silent_on_clean", boolean()},
                                {"detail", text()}});
  return object({{"ok", boolean()},
                 {"version", text()},
                 {"revision", text()},
                 {"at", time()},
                 {"error", text("Why it did not run")},
                 {"detectors", list_of(detector)}});
}

json known_issue_schema() {
  return object(
      {{"id", text()},
       {"title", text()},
       {"fixed_in", or_null(text())},
       {"hint_only", boolean()},
       {"measured", {{"type", "boolean"}, {"description", "Debian's kernel of this version was found to do it"}}},
       {"filesystems", list_of(text())},
       {"kinds", list_of(finding_kind())},
       {"profiles", list_of(text())},
       {"advice", text()},
       {"references", list_of(text())},
       {"text", text("What the version says; what was measured stands elsewhere")}});
}

json profile_schema() {
  const json option = object({{"name", text()},
                              {"description", text()},
                              {"unit", text()},
                              {"minimum", {{"type", "integer"}}},
                              {"maximum", {{"type", "integer"}}},
                              {"default_value", {{"type", "integer"}}}});
  return object({{"name", text()},
                 {"title", text()},
                 {"description", text()},
                 {"role", one_of({"detector", "control"})},
                 {"oracle", text("What must hold")},
                 {"exposure", text("What counts as having reached the trigger")},
                 {"needs_io_uring", boolean()},
                 {"variants", list_of(one_of(names_of(kAllVariants)))},
                 {"options", list_of(option)},
                 {"references", list_of(text())}});
}

json kernel_schema() {
  return object({{"release", text()},
                 {"runs", integer()},
                 {"writes", integer()},
                 {"exposures", integer()},
                 {"finding_counts", map_of(integer())},
                 {"first_seen", time()},
                 {"last_seen", time()},
                 {"known_issues", list_of(reference("KnownIssue"))},
                 {"rate_upper_bound_95",
                  {{"anyOf", json::array({number(), {{"type", "null"}}})},
                   {"description", "Upper 95 % confidence bound on findings of class corruption per exposure"}}}});
}

json audit_schema() {
  return object({{"id", integer(1)},
                 {"at", time()},
                 {"who", text("Name of the token or certificate, \"uid 1000\" at a unix socket, else the address")},
                 {"address", text()},
                 {"request_id", text()},
                 {"method", text()},
                 {"path", text()},
                 {"outcome", or_null(one_of({"done", "refused", "failed"}))},
                 {"detail", text("Why it was refused or failed")}});
}

json hook_answer_schema() {
  return object({{"items", list_of(object({{"alertname", text()},
                                           {"fingerprint", text()},
                                           {"target", text()},
                                           {"profile", text()},
                                           {"run_id", or_null(integer(1))},
                                           {"replayed", boolean()},
                                           {"reason", text("Why it became no run")}}))}});
}

json list_schema(const std::string& item) { return object({{"items", list_of(reference(item))}}); }
json page_schema(const std::string& item) {
  return object({{"items", list_of(reference(item))}, {"next_cursor", or_null(text())}});
}

}  // namespace

nlohmann::json answer_schemas() {
  return {{"Status", status_schema()},
          {"Target", target_schema()},
          {"TargetList", list_schema("Target")},
          {"Profile", profile_schema()},
          {"ProfileList", list_schema("Profile")},
          {"SelfTest", self_test_schema()},
          {"KnownIssue", known_issue_schema()},
          {"Kernel", kernel_schema()},
          {"KernelList", list_schema("Kernel")},
          {"Run", run_schema()},
          {"StartAnswer", {{"anyOf", json::array({schema::reference("Run"), schema::reference("RunList")})}}},
          {"RunList", object({{"verdict", or_null(schema::verdict())},
                              {"items", {{"type", "array"}, {"items", schema::reference("Run")}}}})},
          {"RunPage", page_schema("Run")},
          {"Write", write_schema()},
          {"Finding", finding_schema()},
          {"FindingPage", page_schema("Finding")},
          {"HookAnswer", hook_answer_schema()},
          {"AuditRow", audit_schema()},
          {"AuditPage", page_schema("AuditRow")},
          {"Health", object({{"status", one_of({"ok"})}, {"loop_age_seconds", number()}})},
          {"Readiness", object({{"status", one_of({"ready"})}})},
          {"Description", {{"type", "object"}}}};
}

}  // namespace writecanary::api
