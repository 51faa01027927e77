#include "api/openapi/openapi.h"

#include <nlohmann/json.hpp>

#include "api/openapi/openapi_schemas.h"
#include "api/refusal/problem.h"
#include "api/routes/routes.h"
#include "core/base/limits.h"
#include "core/base/version.h"
#include "core/run/finding.h"
#include "core/run/verdict.h"

namespace writecanary::api {
namespace {

using nlohmann::json;
using schema::names_of;

json query_parameters() {
  const auto parameter = [](const std::string& name, const std::string& description, const json& type) {
    return json{{"name", name}, {"in", "query"}, {"description", description}, {"schema", type}};
  };
  return {
      {"target", parameter("target", "Only this target", schema::text())},
      {"profile", parameter("profile", "Only this profile", schema::text())},
      {"kernel", parameter("kernel", "Only this kernel release, as uname -r says it", schema::text())},
      {"verdict", parameter("verdict", "Only this verdict", schema::one_of(names_of(kAllVerdicts)))},
      {"state", parameter("state", "Only runs in this state", schema::one_of({"queued", "running", "finished"}))},
      {"incident_state",
       parameter("state", "Only incidents in one of these states, separated by commas: open, known, resolved",
                 {{"type", "string"}, {"pattern", "^(open|known|resolved)(,(open|known|resolved))*$"}})},
      {"class", parameter("class", "Only incidents of this class", schema::one_of(names_of(kAllFindingClasses)))},
      {"release", parameter("release", "Only this kernel release, as uname -r says it", schema::text())},
      {"kind", parameter("kind", "Only of this kind", schema::one_of(names_of(kAllFindingKinds)))},
      {"acknowledged", parameter("acknowledged", "Only acknowledged findings, or only others", schema::boolean())},
      {"run_id", parameter("run_id", "Only findings of this run", schema::integer(1))},
      {"since", parameter("since", "Not before this time: RFC 3339 or unix seconds", schema::text())},
      {"until", parameter("until", "Before this time", schema::text())},
      {"step_seconds",
       parameter("step_seconds", "Length of a stretch of time; all of it unless told", schema::integer(1))},
      {"by", parameter("by", "What a row is of, beside its time", schema::one_of({"kernel", "profile"}))},
      {"limit",
       parameter("limit", "Items per page",
                 {{"type", "integer"}, {"minimum", 1}, {"maximum", kPageLimitMax}, {"default", kPageLimitDefault}})},
      {"cursor", parameter("cursor", "next_cursor of the page before", schema::text())}};
}

// {...} of the path, and what the operation takes from the query.
json parameters_of(const Endpoint& route) {
  json parameters = json::array();
  for (auto open = route.pattern.find('{'); open != std::string::npos; open = route.pattern.find('{', open + 1)) {
    const std::string name = route.pattern.substr(open + 1, route.pattern.find('}', open) - open - 1);
    parameters.push_back({{"name", name},
                          {"in", "path"},
                          {"required", true},
                          {"schema", name == "id" ? schema::integer(1) : schema::text()}});
  }
  for (const auto& name : route.operation.query) {
    const bool of_incidents = name == "state" && route.operation.response == "IncidentPage";
    parameters.push_back({{"$ref", "#/components/parameters/" + (of_incidents ? "incident_state" : name)}});
  }
  const auto header = [&parameters](const char* name, const char* description) {
    parameters.push_back({{"name", name}, {"in", "header"}, {"description", description}, {"schema", schema::text()}});
  };
  if (route.operation.media_type == "text/event-stream") header("Last-Event-ID", "Go on after this event");
  if (route.operation.body == "StartRequest") {
    header("Idempotency-Key",
           "The same caller's same request with it, within a day, starts no second run; another request is refused");
    header("Prefer", "\"wait=60\": answer when the runs have ended, but after so many seconds at the latest");
  }
  return parameters;
}

std::string meaning_of(int status) {
  switch (status) {
    case 400:
      return "The request cannot be read, or a parameter cannot be used";
    case 401:
      return "A token is needed, or the one given is not known";
    case 403:
      return "The token's role is not enough, or not allowed from there";
    case 404:
      return "There is no such thing";
    case 408:
      return "The request did not come in time";
    case 409:
      return "Not possible in the present state";
    case 413:
      return "The body is too large";
    case 414:
      return "The request line is too long";
    case 415:
      return "The body is not JSON";
    case 421:
      return "This server does not answer for that host";
    case 422:
      return "A field of the body cannot be used";
    case 429:
      return "Too many requests or changes from that address; Retry-After says when to ask again";
    case 431:
      return "The headers are too large";
    case 503:
      return "Not possible for now";
    default:
      return "The request failed inside the daemon";
  }
}

json header_reference(const std::string& name) { return {{"$ref", "#/components/headers/" + name}}; }

json headers() {
  const auto header = [](const std::string& description, const json& type, bool required) {
    return json{{"description", description}, {"schema", type}, {"required", required}};
  };
  return {
      {"X-Request-Id",
       header("Of this request, in the log too; a plain one of the client's is kept", schema::text(), true)},
      {"Location", header("Where the run is; not of several", schema::text(), false)},
      {"Idempotency-Replayed",
       header("The answer is that of an earlier request with the same key", schema::one_of({"true"}), false)},
      {"Preference-Applied", header("The preference that was followed, such as \"wait=60\"", schema::text(), false)},
      {"Retry-After", header("Seconds after which to ask again", schema::integer(1), true)},
      {"WWW-Authenticate", header("How to show a token", schema::text(), true)}};
}

json problem_response(int status) {
  json names = {"X-Request-Id"};
  if (status == 401) names.push_back("WWW-Authenticate");
  if (status == 429) names.push_back("Retry-After");
  json used = json::object();
  for (const auto& name : names) used[name.get<std::string>()] = header_reference(name);
  return {{"description", meaning_of(status)},
          {"headers", std::move(used)},
          {"content", {{kProblemType, {{"schema", schema::reference("Problem")}}}}}};
}

json responses_of(const Operation& operation) {
  const json type = operation.response.empty() ? schema::text() : schema::reference(operation.response);
  json success = {{"description", operation.summary},
                  {"headers", {{"X-Request-Id", header_reference("X-Request-Id")}}},
                  {"content", {{operation.media_type, {{"schema", type}}}}}};
  // An answer about a run that was asked for.
  const bool starts = operation.body == "StartRequest";
  if (operation.status == 202 && (operation.response == "Run" || starts)) {
    success["headers"]["Location"] = header_reference("Location");
  }
  if (starts) {
    success["headers"]["Idempotency-Replayed"] = header_reference("Idempotency-Replayed");
    success["headers"]["Preference-Applied"] = header_reference("Preference-Applied");
  }
  json responses = {{std::to_string(operation.status), success}};
  if (starts) {
    success["description"] = "All of it has ended, which the request preferred to wait for";
    responses["200"] = std::move(success);
  }
  auto statuses = operation.refusals;
  statuses.insert(statuses.end(), {400, 408, 414, 421, 429, 431, 500});
  if (!operation.is_open) statuses.insert(statuses.end(), {401, 403});
  if (!operation.body.empty()) statuses.insert(statuses.end(), {403, 413, 415, 422});
  for (const int status : statuses) responses[std::to_string(status)] = problem_response(status);
  return responses;
}

json operation_document(const Endpoint& route) {
  json document = {{"summary", route.operation.summary},
                   {"parameters", parameters_of(route)},
                   {"responses", responses_of(route.operation)}};
  if (route.operation.is_open) document["security"] = json::array();
  if (!route.operation.body.empty()) {
    const bool required = route.operation.body != "EmptyRequest" && route.operation.body != "PauseRequest";
    document["requestBody"] = {
        {"required", required},
        {"content", {{"application/json", {{"schema", schema::reference(route.operation.body)}}}}}};
  }
  return document;
}

}  // namespace

json openapi_document(const std::vector<Endpoint>& routes) {
  json schemas = answer_schemas();
  schemas.update(history_schemas());
  schemas.update(incident_schemas());
  schemas.update(request_schemas());
  schemas.update(problem_schemas());
  json paths = json::object();
  for (const auto& route : routes) {
    if (route.operation.is_page) continue;
    paths[route.pattern][route.method == "GET" ? "get" : "post"] = operation_document(route);
  }
  return {{"openapi", "3.1.0"},
          {"info",
           {{"title", "writecanary"},
            {"version", kVersion},
            {"description", "Whether this host's kernel and filesystems keep the bytes that they said they wrote."},
            {"license", {{"name", "MIT"}, {"identifier", "MIT"}}}}},
          {"servers", json::array({{{"url", "/"}}})},
          {"paths", std::move(paths)},
          // Where tokens are configured; without them nobody needs one.
          {"security", json::array({{{"token", json::array()}}, json::object()})},
          {"components",
           {{"schemas", std::move(schemas)},
            {"parameters", query_parameters()},
            {"headers", headers()},
            {"securitySchemes",
             {{"token",
               {{"type", "http"},
                {"scheme", "bearer"},
                {"description", "A viewer's token may read, an operator's may also change."}}}}}}}};
}

std::vector<Endpoint> all_routes(const RouteContext& context) {
  std::vector<Endpoint> routes;
  for (auto&& some : {status_routes(context), target_routes(context), run_routes(context), finding_routes(context),
                      incident_routes(context), history_routes(context), event_routes(context), hook_routes(context),
                      audit_routes(context), problem_routes(), page_routes()}) {
    routes.insert(routes.end(), some.begin(), some.end());
  }
  const std::size_t self = routes.size();
  routes.push_back(
      {"GET", "/api/v1/openapi.json", {.summary = "This description", .response = "Description", .is_open = true}, {}});
  routes[self].handler = [document = openapi_document(routes)](Call& call) -> Outcome {
    respond_json(call, document);
    return std::nullopt;
  };
  return routes;
}

}  // namespace writecanary::api
