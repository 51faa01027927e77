// The schemas of incidents (openapi_schemas.h).
#include "api/openapi/openapi_schemas.h"
#include "core/run/finding.h"
#include "core/run/incident.h"

namespace writecanary::api {
namespace {

using nlohmann::json;
using schema::integer, schema::list_of, schema::names_of, schema::number, schema::object, schema::one_of,
    schema::or_null, schema::reference, schema::text, schema::time;

// What a changed incident comes without, and but for the last days also a listed one.
constexpr const char* kDetails[] = {"kept_findings", "known_issues", "days"};

json known_schema() {
  return object(
      {{"at", time()}, {"by", text()}, {"note", text()}, {"until", text("\"kernel\", \"rate\" or when, RFC 3339")}});
}

json without_schema() {
  return object({{"kernel_release", text("On which it was not found")},
                 {"exposures", integer()},
                 {"exposures_to_resolve", integer(1)},
                 {"runs", integer()},
                 {"runs_to_resolve", integer(1)}});
}

json day_schema() {
  return object({{"day", {{"type", "string"}, {"format", "date"}}},
                 {"runs", integer()},
                 {"runs_with_findings", integer()},
                 {"exposures", integer()},
                 {"findings", integer()}});
}

json incident_schema() {
  json rate = or_null(number());
  rate["description"] = "Findings per exposure, up to the last finding";
  return object({{"id", integer(1)},
                 {"kind", one_of(names_of(kAllFindingKinds))},
                 {"class", one_of(names_of(kAllFindingClasses))},
                 {"target", text()},
                 {"profile", text()},
                 {"kernel_release", text()},
                 {"fstype", text()},
                 {"state", one_of(names_of(kAllIncidentStates))},
                 {"first_seen_at", time()},
                 {"last_seen_at", time()},
                 {"last_run_id", integer(1)},
                 {"opened_at", time()},
                 {"times_opened", integer(1)},
                 {"runs", integer(1)},
                 {"findings", integer(1)},
                 {"exposures", integer()},
                 {"exposures_before", integer()},
                 {"rate", rate},
                 {"rate_lower_bound_95", or_null(number())},
                 {"rate_upper_bound_95", or_null(number())},
                 {"known", or_null(known_schema())},
                 {"without_finding", without_schema()},
                 {"resolved_at", or_null(time())},
                 {"resolved_on", or_null(text())},
                 {"kept_findings", list_of(reference("Finding"))},
                 {"known_issues", list_of(reference("KnownIssue"))},
                 {"days", list_of(day_schema())}},
                {std::begin(kDetails), std::end(kDetails)});
}

}  // namespace

json incident_schemas() {
  return {{"Incident", incident_schema()},
          {"IncidentList", object({{"items", list_of(reference("Incident"))}})},
          {"IncidentPage", object({{"items", list_of(reference("Incident"))}, {"next_cursor", or_null(text())}})}};
}

}  // namespace writecanary::api
