// What the calls that change something take.
#include "api/openapi/openapi_schemas.h"
#include "api/refusal/limits.h"
#include "core/base/limits.h"
#include "core/run/finding.h"

namespace writecanary::api {
namespace {

using nlohmann::json;
using schema::boolean, schema::integer, schema::map_of, schema::object, schema::one_of, schema::or_null, schema::text;

// As Alertmanager sends it; what is not named here is ignored.
json alertmanager_schema() {
  const json alert = {{"type", "object"},
                      {"properties",
                       {{"status", one_of({"firing", "resolved"})},
                        {"labels", map_of(text())},
                        {"startsAt", text()},
                        {"fingerprint", text()}}}};
  return {{"type", "object"},
          {"properties", {{"alerts", {{"type", "array"}, {"maxItems", kHookAlertsMax}, {"items", alert}}}}},
          {"required", json::array({"alerts"})}};
}

// What an optional field takes: null is as good as leaving it out.
json optional(json type, const std::string& description) {
  json schema = or_null(type);
  schema["description"] = description;
  return schema;
}

json start_schema() {
  const json duration = {
      {"type", "number"}, {"minimum", kDurationSecondsMin}, {"maximum", static_cast<double>(kDurationMsMax) / 1000}};
  const json writes = {{"type", "integer"}, {"minimum", 1}, {"maximum", kWritesMax}};
  const json memory = {{"type", "integer"}, {"minimum", kMemoryBytesMin}, {"maximum", kMemoryBytesMax}};
  const json seed = {{"anyOf", json::array({schema::seed(), integer()})}};
  const json profiles = {
      {"type", "array"}, {"items", text()}, {"minItems", 1}, {"maxItems", kQueuedRunsPerTarget}, {"uniqueItems", true}};
  return object(
      {{"target", text("Name of a configured target")},
       {"profile", optional(text(), "Name of a profile; needed without `profiles`")},
       {"profiles",
        optional(profiles, "In place of `profile`: one run of each, one after the other. The answer is a list")},
       {"duration_seconds", optional(duration, "How long to write; the target's configuration unless told")},
       {"writes",
        optional(writes, "Ends the run after so many; the configuration's number, but none beside a duration")},
       {"seed", optional(seed, "Replays the plan of an earlier run; drawn unless told")},
       {"memory_bytes", optional(memory, "Limit of the run's memory cgroup; the configuration's unless told")},
       {"options", optional(map_of({{"type", "integer"}}), "The profile's own, see /api/v1/profiles")},
       {"classic", optional(boolean(), "The original reproducer's workload; false unless told")},
       {"queue", optional(boolean(), "Wait behind a run that is going on; false unless told, which is 409 then")}},
      {"profile", "profiles", "duration_seconds", "writes", "seed", "memory_bytes", "options", "classic", "queue"});
}

json ack_some_schema(const json& until) {
  json filter = {{"type", "object"},
                 {"properties",
                  {{"kind", one_of(schema::names_of(kAllFindingKinds))},
                   {"class", one_of(schema::names_of(kAllFindingClasses))},
                   {"target", text()},
                   {"profile", text()},
                   {"release", text()}}},
                 {"minProperties", 1},
                 {"additionalProperties", false}};
  const json ids = {{"type", "array"}, {"maxItems", kIncidentsAckedMax}, {"uniqueItems", true}, {"items", integer(1)}};
  return object({{"note", text("What is known about them")},
                 {"until", until},
                 {"ids", optional(ids, "These; or else a filter")},
                 {"filter", optional(filter, "All that are open and fit")}},
                {"until", "ids", "filter"});
}

}  // namespace

nlohmann::json request_schemas() {
  json start = start_schema();
  json pause = object({{"note", optional(text(), "Who and why")}}, {"note"});
  json ack = object({{"note", text("What is known about it")}});
  const json until = optional(text(), "\"kernel\" (it changes), \"rate\" (it rises), or a date; kernel unless told");
  json ack_incident = object({{"note", text("What is known about it")}, {"until", until}}, {"until"});
  json ack_incidents = ack_some_schema(until);
  json empty = {{"type", "object"}};
  for (json* each : {&start, &pause, &ack, &ack_incident, &ack_incidents, &empty})
    (*each)["additionalProperties"] = false;
  start["examples"] = json::array(
      {{{"target", "data"}, {"profile", "append"}},
       {{"target", "data"}, {"profiles", {"append", "append-interposed"}}, {"writes", 200}, {"queue", true}},
       {{"target", "data"}, {"profile", "append"}, {"duration_seconds", 30}, {"seed", "42"}, {"queue", true}}});
  pause["examples"] = json::array({{{"note", "the disk is being replaced"}}});
  ack["examples"] = json::array({{{"note", "fixed in 6.1.176, reported upstream"}}});
  ack_incident["examples"] = json::array({{{"note", "fixed in 6.1.176"}, {"until", "kernel"}}});
  ack_incidents["examples"] = json::array(
      {{{"note", "we know"}, {"ids", {1, 2}}},
       {{"note", "every kernel of ours tears appends"}, {"filter", {{"kind", "torn"}}}, {"until", "rate"}}});
  return {{"StartRequest", start},
          {"PauseRequest", pause},
          {"AckRequest", ack},
          {"AckIncidentRequest", ack_incident},
          {"AckIncidentsRequest", ack_incidents},
          {"EmptyRequest", empty},
          {"AlertmanagerRequest", alertmanager_schema()}};
}

}  // namespace writecanary::api
