// What the calls that change something take.
#include "api/openapi/openapi_schemas.h"
#include "api/refusal/limits.h"
#include "core/base/limits.h"

namespace writecanary::api {
namespace {

using nlohmann::json;
using schema::boolean, schema::integer, schema::map_of, schema::object, schema::one_of, schema::text;

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

}  // namespace

nlohmann::json request_schemas() {
  json start =
      object({{"target", text("Name of a configured target")},
              {"profile", text("Name of a profile")},
              {"duration_seconds",
               {{"type", "number"},
                {"minimum", kDurationSecondsMin},
                {"maximum", static_cast<double>(kDurationMsMax) / 1000}}},
              {"writes", {{"type", "integer"}, {"minimum", 1}, {"maximum", kWritesMax}}},
              {"seed", integer()},
              {"memory_bytes", {{"type", "integer"}, {"minimum", kMemoryBytesMin}, {"maximum", kMemoryBytesMax}}},
              {"options", map_of({{"type", "integer"}})},
              {"classic", boolean()},
              {"queue", boolean()}},
             {"duration_seconds", "writes", "seed", "memory_bytes", "options", "classic", "queue"});
  json pause = object({{"note", text("Who and why")}}, {"note"});
  json ack = object({{"note", text("What is known about it")}});
  json empty = {{"type", "object"}};
  for (json* each : {&start, &pause, &ack, &empty}) (*each)["additionalProperties"] = false;
  start["examples"] = json::array(
      {{{"target", "data"}, {"profile", "append"}},
       {{"target", "data"}, {"profile", "append"}, {"duration_seconds", 30}, {"seed", 42}, {"queue", true}}});
  pause["examples"] = json::array({{{"note", "the disk is being replaced"}}});
  ack["examples"] = json::array({{{"note", "fixed in 6.1.176, reported upstream"}}});
  return {{"StartRequest", start},
          {"PauseRequest", pause},
          {"AckRequest", ack},
          {"EmptyRequest", empty},
          {"AlertmanagerRequest", alertmanager_schema()}};
}

}  // namespace writecanary::api
