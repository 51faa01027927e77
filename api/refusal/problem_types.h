// Every type of problem that an answer can name, with what it means and the way out: what /problems/{type} says, and
// what the description of the API lists. What was wrong with one request is in its refusal (api/refusal/refusal.h).
#pragma once

#include <span>
#include <string_view>

namespace writecanary::api {

struct ProblemType {
  std::string_view name;    // as in Refusal::type
  std::string_view status;  // that it comes with, "422" or "404, 422"
  std::string_view title;
  std::string_view meaning;  // when it comes, and what to do about it
};

// In the order of their names.
std::span<const ProblemType> problem_types();
// Null when there is no such type.
const ProblemType* find_problem_type(std::string_view name);

}  // namespace writecanary::api
