// Strict reading of a JSON request body: unknown fields, wrong types and values out of range are errors that name the
// field. All are collected, so that a client sees them at once.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/refusal/refusal.h"

namespace writecanary::api {

class Body {
 public:
  // An empty body counts as {}.
  explicit Body(const std::string& text);

  // Each returns nothing when the field is absent (or null) or wrong; refusal() tells which.
  std::optional<std::string> text(const std::string& name, std::size_t length_max);
  std::optional<bool> flag(const std::string& name);
  std::optional<std::uint64_t> number(const std::string& name, std::uint64_t minimum, std::uint64_t maximum);
  std::optional<std::uint64_t> seed(const std::string& name);  // core/run/seed.h
  std::optional<double> decimal(const std::string& name, double minimum, double maximum);
  // A list of positive numbers, none of them twice.
  std::vector<std::int64_t> ids(const std::string& name, std::size_t count_max);
  // An object of texts with these names; absent ones are left out.
  std::map<std::string, std::string> texts(const std::string& name, const std::set<std::string>& names);
  // An object of whole numbers; which names and values are right is for the caller (fail).
  std::map<std::string, std::int64_t> numbers(const std::string& name);
  // A list of 1 to `count_max` texts that are not empty.
  std::vector<std::string> texts(const std::string& name, std::size_t count_max, std::size_t length_max);
  bool has(const std::string& name) { return find(name) != nullptr; }
  // The same as text(), but absence is an error.
  std::string required_text(const std::string& name, std::size_t length_max);

  void fail(const std::string& field, const std::string& detail) { errors_.push_back({field, detail}); }
  // Call last: fields that nobody asked for are errors too. Malformed JSON is 400, wrong fields are 422.
  std::optional<Refusal> refusal() const;

 private:
  const nlohmann::json* find(const std::string& name);
  void fail_type(const std::string& field, const nlohmann::json& value, const std::string& expected);

  nlohmann::json object_ = nlohmann::json::object();
  std::optional<Refusal> malformed_;
  std::set<std::string> asked_;
  std::vector<FieldError> errors_;
};

}  // namespace writecanary::api
