// Strict reading of a query string: each value is right or is an error that names the parameter, the value and what is
// allowed. All errors are collected, so that a client sees them at once. That only known names occur is checked by the
// router.
#pragma once

#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http/message.h"
#include "api/refusal/problem.h"
#include "api/refusal/refusal.h"

namespace writecanary::api {

class Query {
 public:
  explicit Query(const Request& request) : params_(request.params) {}

  // Each returns nothing when the parameter is absent or wrong; refusal() tells which.
  std::optional<std::string> text(const std::string& name);
  std::optional<bool> flag(const std::string& name);
  std::optional<std::int64_t> id(const std::string& name);
  std::optional<std::int64_t> timestamp_ms(const std::string& name);
  std::optional<std::int64_t> cursor(std::string_view listing);
  std::optional<std::string> place(std::string_view listing);  // a cursor of a listing whose items have names
  int limit();

  // One of `all`, by the text that to_string gives it.
  template <typename T, typename All>
  std::optional<T> one_of(const std::string& name, std::optional<T> (*parse)(std::string_view), const All& all) {
    const auto value = text(name);
    if (!value) return std::nullopt;
    const std::optional<T> parsed = parse(*value);
    if (!parsed) {
      std::vector<std::string> names;
      names.reserve(std::size(all));
      for (const T each : all) names.emplace_back(to_string(each));
      fail_choice(name, *value, names);
    }
    return parsed;
  }

  // Some of `all`, separated by commas.
  template <typename T, typename All>
  std::vector<T> some_of(const std::string& name, std::optional<T> (*parse)(std::string_view), const All& all) {
    std::vector<T> some;
    const auto value = text(name);
    if (!value) return some;
    std::string_view rest = *value;
    for (;;) {
      const auto comma = rest.find(',');
      const auto parsed = parse(rest.substr(0, comma));
      if (!parsed) break;
      some.push_back(*parsed);
      if (comma == std::string_view::npos) return some;
      rest.remove_prefix(comma + 1);
    }
    std::vector<std::string> names;
    for (const T each : all) names.emplace_back(to_string(each));
    fail(name, *value, "some of " + quoted_list(names) + ", separated by commas");
    return some;
  }

  // What was wrong so far, as one refusal.
  std::optional<Refusal> refusal() const;

 private:
  void fail(const std::string& name, const std::string& value, const std::string& allowed);
  void fail_choice(const std::string& name, const std::string& value, const std::vector<std::string>& names);

  const Params& params_;
  std::vector<FieldError> errors_;
};

}  // namespace writecanary::api
