// What the `type` of a refusal leads to: a few words about problems of that kind.
#include <nlohmann/json.hpp>

#include "api/refusal/problem.h"
#include "api/refusal/problem_types.h"
#include "api/routes/routes.h"

namespace writecanary::api {
namespace {

nlohmann::json problem_type_document(const ProblemType& type) {
  return {{"type", kProblemPrefix + std::string(type.name)},
          {"status", type.status},
          {"title", type.title},
          {"meaning", type.meaning}};
}

Outcome answer_problem_types(Call& call) {
  nlohmann::json items = nlohmann::json::array();
  for (const ProblemType& type : problem_types()) items.push_back(problem_type_document(type));
  respond_json(call, {{"items", std::move(items)}});
  return std::nullopt;
}

Outcome answer_problem_type(Call& call) {
  const ProblemType* type = find_problem_type(call.arguments[0]);
  if (type == nullptr) {
    return not_found("not-found", "No answer of this API names a problem of that type. GET /problems lists them.");
  }
  respond_json(call, problem_type_document(*type));
  return std::nullopt;
}

}  // namespace

std::vector<Endpoint> problem_routes() {
  return {
      {"GET",
       "/problems",
       {.summary = "Every type of problem that an answer can name", .response = "ProblemTypeList", .is_open = true},
       answer_problem_types},
      {"GET",
       "/problems/{type}",
       {.summary = "What a problem of this type is, and the way out",
        .response = "ProblemType",
        .refusals = {404},
        .is_open = true},
       answer_problem_type},
  };
}

}  // namespace writecanary::api
