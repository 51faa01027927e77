#include "api/refusal/problem.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/refusal/limits.h"
#include "api/refusal/problem_types.h"
#include "core/base/limits.h"

namespace writecanary::api {
namespace {

std::string summary(const std::vector<FieldError>& errors) {
  std::string text;
  for (const auto& error : errors) text += (text.empty() ? "" : "; ") + error.field + ": " + error.detail;
  return text;
}

// A body of 64 KiB can have ten thousand fields that are all wrong, and each is answered with a sentence.
void limit(std::vector<FieldError>& errors) {
  if (errors.size() <= kFieldErrorsMax) return;
  const auto more = errors.size() - kFieldErrorsMax;
  errors.resize(kFieldErrorsMax);
  errors.push_back({"", fmt::format("{} more are wrong", more)});
}

}  // namespace

nlohmann::json problem_document(const Refusal& refusal, const std::string& instance, const std::string& request_id) {
  const ProblemType* type = find_problem_type(refusal.type);
  nlohmann::json document = {{"type", kProblemPrefix + refusal.type},
                             {"title", type == nullptr ? refusal.title : std::string(type->title)},
                             {"status", refusal.status},
                             {"detail", refusal.detail},
                             {"instance", instance},
                             {"request_id", request_id}};
  auto& errors = document["errors"] = nlohmann::json::array();
  for (const auto& error : refusal.errors) errors.push_back({{"field", error.field}, {"detail", error.detail}});
  return document;
}

Refusal invalid_query(std::vector<FieldError> errors) {
  limit(errors);
  std::string detail = summary(errors);
  return {400, "invalid-query", "A query parameter cannot be used", std::move(detail), std::move(errors)};
}

Refusal too_many_parameters() {
  return {400,
          "too-many-parameters",
          "The query has too many parameters",
          fmt::format("At most {} are possible; no call has that many.", kQueryParametersMax),
          {}};
}

Refusal invalid_body(std::vector<FieldError> errors) {
  limit(errors);
  std::string detail = summary(errors);
  return {422, "invalid-request", "A field of the request cannot be used", std::move(detail), std::move(errors)};
}

Refusal not_found(std::string type, std::string detail) {
  return {404, std::move(type), "Not found", std::move(detail), {}};
}

Refusal unavailable(std::string type, std::string title, std::string detail) {
  return {503, std::move(type), std::move(title), std::move(detail), {}};
}

Refusal too_many_streams() {
  return unavailable(
      "too-many-streams", "Too many streams are open",
      fmt::format("At most {} event streams and downloads can be. Close one, or poll /api/v1/runs.", kStreamsMax));
}

Refusal refusal_for_status(int status) {
  switch (status) {
    case 404:
      return not_found("not-found", "There is nothing at this path. GET /api/v1/openapi.json lists every call.");
    case 408:
      return {408,
              "too-slow",
              "The request did not come in time",
              "A request must be complete within 10 s of its first byte.",
              {}};
    case 413:
      return {413,
              "payload-too-large",
              "The request is too large",
              fmt::format("A request body may have {} bytes.", kRequestBodyBytes),
              {}};
    case 414:
      return {414, "uri-too-long", "The request line is too long", "A request line may have 8192 bytes.", {}};
    case 431:
      return {431,
              "headers-too-large",
              "The request's headers are too large",
              "Request line and headers may have 32768 bytes together, in at most 100 headers.",
              {}};
    default:
      return {status,
              "bad-request",
              "The request cannot be read",
              "The request line, a header or the body is malformed, or the body ended too early.",
              {}};
  }
}

std::string quoted_list(const std::vector<std::string>& names) {
  if (names.empty()) return "none";
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += '"' + names[i] + '"';
  }
  return text;
}

}  // namespace writecanary::api
