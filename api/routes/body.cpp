#include "api/routes/body.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/refusal/problem.h"
#include "core/base/json_text.h"
#include "core/run/seed.h"

namespace writecanary::api {
namespace {

// No body of this API needs three. The parser does not recurse, but whoever prints the value does.
constexpr int kDepthMax = 16;

// Told before the text is parsed. The parser could be asked on its way, but then looks through all earlier elements at
// the end of each one: for 20,000 empty objects in a row that takes half a second.
bool is_too_deep(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      quoted = !quoted;
    } else if (quoted) {
      if (c == '\\') ++i;
    } else if (c == '[' || c == '{') {
      if (++depth > kDepthMax) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

}  // namespace

Body::Body(const std::string& text) {
  if (text.empty()) return;
  if (is_too_deep(text)) {
    malformed_ = invalid_body({{"", fmt::format("arrays and objects are nested more than {} deep", kDepthMax)}});
    return;
  }
  try {
    object_ = nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    malformed_ = Refusal{400,
                         "malformed-json",
                         "The body is not JSON",
                         fmt::format("The body cannot be parsed as JSON (near byte {}).", error.byte),
                         {}};
    return;
  } catch (const nlohmann::json::out_of_range&) {
    malformed_ = invalid_body({{"", "a number is too large"}});
    return;
  }
  if (!object_.is_object()) {
    malformed_ = invalid_body({{"", "expected a JSON object, got " + json_excerpt(object_)}});
    object_ = nlohmann::json::object();
  }
}

const nlohmann::json* Body::find(const std::string& name) {
  asked_.insert(name);
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

void Body::fail_type(const std::string& field, const nlohmann::json& value, const std::string& expected) {
  fail(field, "expected " + expected + ", got " + json_excerpt(value));
}

std::optional<std::string> Body::text(const std::string& name, std::size_t length_max) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_string() && value->get_ref<const std::string&>().size() <= length_max) return value->get<std::string>();
  fail_type(name, *value, fmt::format("a text of at most {} bytes", length_max));
  return std::nullopt;
}

std::string Body::required_text(const std::string& name, std::size_t length_max) {
  const bool absent = find(name) == nullptr;
  const auto value = text(name, length_max);
  if (absent || (value && value->empty())) fail(name, "is required");
  return value.value_or("");
}

std::vector<std::string> Body::texts(const std::string& name, std::size_t count_max, std::size_t length_max) {
  const auto* value = find(name);
  if (value == nullptr) return {};
  const auto fits = [&](const nlohmann::json& item) {
    return item.is_string() && !item.get_ref<const std::string&>().empty() &&
           item.get_ref<const std::string&>().size() <= length_max;
  };
  if (value->is_array() && !value->empty() && value->size() <= count_max && std::ranges::all_of(*value, fits)) {
    return value->get<std::vector<std::string>>();
  }
  fail_type(name, *value, fmt::format("a list of 1 to {} texts of at most {} bytes", count_max, length_max));
  return {};
}

std::optional<bool> Body::flag(const std::string& name) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  fail_type(name, *value, "true or false");
  return std::nullopt;
}

std::optional<std::uint64_t> Body::number(const std::string& name, std::uint64_t minimum, std::uint64_t maximum) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_number_unsigned()) {
    const auto number = value->get<std::uint64_t>();
    if (number >= minimum && number <= maximum) return number;
  }
  fail_type(name, *value, fmt::format("a whole number from {} to {}", minimum, maximum));
  return std::nullopt;
}

std::optional<std::uint64_t> Body::seed(const std::string& name) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  const auto seed = parse_seed(*value);
  if (!seed) fail_type(name, *value, "a whole number from 0 to 18446744073709551615, as text or as a number");
  return seed;
}

std::optional<double> Body::decimal(const std::string& name, double minimum, double maximum) {
  const auto* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_number()) {
    const auto number = value->get<double>();
    if (number >= minimum && number <= maximum) return number;
  }
  fail_type(name, *value, fmt::format("a number from {} to {}", minimum, maximum));
  return std::nullopt;
}

std::vector<std::int64_t> Body::ids(const std::string& name, std::size_t count_max) {
  const auto* list = find(name);
  if (list == nullptr) return {};
  std::set<std::int64_t> ids;
  const bool right = list->is_array() && list->size() <= count_max && std::ranges::all_of(*list, [&](const auto& id) {
                       return id.is_number_unsigned() && id.template get<std::uint64_t>() > 0 &&
                              id.template get<std::uint64_t>() <= INT64_MAX &&
                              ids.insert(id.template get<std::int64_t>()).second;
                     });
  if (!right) fail_type(name, *list, fmt::format("a list of at most {} different positive numbers", count_max));
  return right ? std::vector<std::int64_t>(ids.begin(), ids.end()) : std::vector<std::int64_t>();
}

std::map<std::string, std::string> Body::texts(const std::string& name, const std::set<std::string>& names) {
  const auto* object = find(name);
  if (object == nullptr) return {};
  std::map<std::string, std::string> result;
  const bool right = object->is_object() && std::ranges::all_of(object->items(), [&](const auto& item) {
                       if (!names.contains(item.key()) || !item.value().is_string()) return false;
                       result[item.key()] = item.value().template get<std::string>();
                       return true;
                     });
  if (!right)
    fail_type(name, *object, "an object of texts with names from " + quoted_list({names.begin(), names.end()}));
  return result;
}

std::map<std::string, std::int64_t> Body::numbers(const std::string& name) {
  std::map<std::string, std::int64_t> result;
  const auto* object = find(name);
  if (object == nullptr) return result;
  if (!object->is_object()) {
    fail_type(name, *object, "an object of whole numbers");
    return result;
  }
  for (const auto& [key, value] : object->items()) {
    const bool fits =
        value.is_number_integer() && (!value.is_number_unsigned() || value.get<std::uint64_t>() <= INT64_MAX);
    if (fits) {
      result[key] = value.get<std::int64_t>();
    } else {
      fail_type(fmt::format("{}.{}", name, key), value, "a whole number");
    }
  }
  return result;
}

std::optional<Refusal> Body::refusal() const {
  if (malformed_) return malformed_;
  auto errors = errors_;
  for (const auto& [key, value] : object_.items()) {
    if (asked_.contains(key)) continue;
    errors.push_back({key, "is not a field of this request; it knows " + quoted_list({asked_.begin(), asked_.end()})});
  }
  if (errors.empty()) return std::nullopt;
  return invalid_body(std::move(errors));
}

}  // namespace writecanary::api
