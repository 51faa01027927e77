// An expected refusal: the request was understood and is not carried out. A value, not an exception; it becomes an
// RFC 9457 problem document (api/refusal/problem.h).
#pragma once

#include <string>
#include <vector>

namespace writecanary::api {

struct FieldError {
  std::string field;
  std::string detail;
};

struct Refusal {
  int status = 400;
  std::string type;    // short name, becomes "/problems/<type>": "target-busy", "unknown-target", "invalid-request"
  std::string title;   // what kind of refusal, in a few words
  std::string detail;  // this one: the thing, the value, the limit and the way out
  std::vector<FieldError> errors;
};

}  // namespace writecanary::api
