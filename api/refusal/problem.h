// Refusals and failures as RFC 9457 problem documents, and the refusals that several routes share.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "api/refusal/refusal.h"

namespace writecanary::api {

inline constexpr char kProblemType[] = "application/problem+json";
// Before the name of a type; what is there is api/routes/routes_problems.cpp.
inline constexpr char kProblemPrefix[] = "/problems/";

// The title is that of the type (api/refusal/problem_types.h).
nlohmann::json problem_document(const Refusal& refusal, const std::string& instance, const std::string& request_id);

// 400: the query string; errors name parameter, value and what is allowed.
Refusal invalid_query(std::vector<FieldError> errors);
// 400: more of them than any call has.
Refusal too_many_parameters();
// 422: the body was JSON but not what the call wants.
Refusal invalid_body(std::vector<FieldError> errors);
// 404: `type` is "unknown-run" and the like.
Refusal not_found(std::string type, std::string detail);
// 503: the daemon cannot answer for now.
Refusal unavailable(std::string type, std::string title, std::string detail);
// 503: every thread for event streams and archives is taken.
Refusal too_many_streams();
// For a request line, a header or a body of which no sense can be made.
Refusal refusal_for_status(int status);

// `"a", "b" and "c"`, for texts that say what is allowed.
std::string quoted_list(const std::vector<std::string>& names);

}  // namespace writecanary::api
