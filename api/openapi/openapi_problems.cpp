// Refusals, and what their types lead to.
#include "api/openapi/openapi_schemas.h"
#include "api/refusal/problem.h"
#include "api/refusal/problem_types.h"

namespace writecanary::api {
namespace {

using nlohmann::json;
using schema::integer, schema::list_of, schema::object, schema::one_of, schema::reference, schema::text;

json problem_types_schema() {
  json names = json::array();
  for (const ProblemType& type : problem_types()) names.push_back(kProblemPrefix + std::string(type.name));
  return one_of(names);
}

json problem_type_schema() {
  return object({{"type", problem_types_schema()},
                 {"status", text("The statuses that it comes with")},
                 {"title", text()},
                 {"meaning", text("When it comes, and the way out")}});
}

json problem_schema() {
  json schema = object({{"type", problem_types_schema()},
                        {"title", text()},
                        {"status", integer(400)},
                        {"detail", text()},
                        {"instance", text()},
                        {"request_id", text()},
                        {"errors", list_of(object({{"field", text()}, {"detail", text()}}))}});
  schema["examples"] = json::array({{{"type", "/problems/target-busy"},
                                     {"title", "The target is busy"},
                                     {"status", 409},
                                     {"detail",
                                      "target \"data\": a run is going on or waits. Stop it, or set \"queue\": true "
                                      "to wait behind it"},
                                     {"instance", "/api/v1/runs"},
                                     {"request_id", "9f3c2a10-00002a"},
                                     {"errors", json::array()}}});
  return schema;
}

}  // namespace

json problem_schemas() {
  return {{"Problem", problem_schema()},
          {"ProblemType", problem_type_schema()},
          {"ProblemTypeList", object({{"items", list_of(reference("ProblemType"))}})}};
}

}  // namespace writecanary::api
