#include "cli/commands/fields.h"

#include <fmt/format.h>

#include "core/base/json_text.h"
#include "core/run/finding.h"
#include "core/text/units.h"

namespace writecanary::cli {

const nlohmann::json& inner(const nlohmann::json& object, const char* key) {
  static const nlohmann::json kEmpty = nlohmann::json::object();
  if (!object.is_object()) return kEmpty;
  const auto field = object.find(key);
  return field != object.end() && field->is_structured() ? *field : kEmpty;
}

std::string text_field(const nlohmann::json& object, const char* key) {
  const nlohmann::json value = object.is_object() ? object.value(key, nlohmann::json()) : nlohmann::json();
  if (value.is_number()) return json_text(value);
  return value.is_string() ? value.get<std::string>() : "";
}

std::uint64_t count_field(const nlohmann::json& object, const char* key) {
  const nlohmann::json value = object.is_object() ? object.value(key, nlohmann::json()) : nlohmann::json();
  return value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
}

double number_field(const nlohmann::json& object, const char* key) {
  const nlohmann::json value = object.is_object() ? object.value(key, nlohmann::json()) : nlohmann::json();
  return value.is_number() ? value.get<double>() : 0;
}

bool flag_field(const nlohmann::json& object, const char* key) {
  const nlohmann::json value = object.is_object() ? object.value(key, nlohmann::json()) : nlohmann::json();
  return value.is_boolean() && value.get<bool>();
}

std::string time_field(const nlohmann::json& object, const char* key, SystemTime now, const std::string& never) {
  const auto at_ms = parse_timestamp_ms(text_field(object, key));
  return at_ms ? relative_time(*at_ms, now) : never;
}

std::string counts_field(const nlohmann::json& object, const char* key) {
  std::string result;
  for (const FindingKind kind : kAllFindingKinds) {
    const std::string name(to_string(kind));
    const std::uint64_t count = count_field(inner(object, key), name.c_str());
    if (count != 0) result += fmt::format("{}{} {}", result.empty() ? "" : ", ", name, format_count(count));
  }
  return result.empty() ? "none" : result;
}

Style style_of_verdict(const std::string& verdict) {
  const auto known = parse_verdict(verdict);
  return known ? style_of(*known) : Style::kDim;
}

}  // namespace writecanary::cli
