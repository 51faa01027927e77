#include "core/base/json_fields.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "core/base/error.h"
#include "core/base/json_text.h"

namespace writecanary {
namespace {

// The value as a number from minimum to maximum; nothing for every other value, fractions among them.
template <typename T>
std::optional<T> integer(const nlohmann::json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (std::in_range<T>(number)) return static_cast<T>(number);
  } else if (value.is_number_integer()) {
    const auto number = value.get<std::int64_t>();
    if (std::in_range<T>(number)) return static_cast<T>(number);
  }
  return std::nullopt;
}

}  // namespace

JsonFields::JsonFields(const nlohmann::json& object, std::string what) : object_(object), what_(std::move(what)) {
  if (!object.is_object())
    throw ProtocolError(fmt::format("{}: expected an object, got {}", what_, json_excerpt(object)));
}

void JsonFields::refuse_others() const {
  for (const auto& [key, value] : object_.items()) {
    if (std::ranges::find(asked_, key) != asked_.end()) continue;
    throw ProtocolError(
        fmt::format("{}: unknown field {}; known are {}", what_, json_excerpt(key), fmt::join(asked_, ", ")));
  }
}

void JsonFields::fail(std::string_view key, std::string_view expected, const nlohmann::json& got) const {
  throw ProtocolError(fmt::format("{}: {}: expected {}, got {}", what_, key, expected, json_excerpt(got)));
}

const nlohmann::json* JsonFields::find(const char* key) {
  asked_.emplace_back(key);
  const auto field = object_.find(key);
  return field == object_.end() ? nullptr : &*field;
}

const nlohmann::json& JsonFields::required(const char* key) {
  const nlohmann::json* value = find(key);
  if (value == nullptr) throw ProtocolError(fmt::format("{}: {}: this field is missing", what_, key));
  return *value;
}

void JsonFields::read(const char* key, const nlohmann::json& value, std::uint64_t& out) const {
  const auto number = integer<std::uint64_t>(value);
  if (!number) fail(key, "a non-negative integer", value);
  out = *number;
}

void JsonFields::read(const char* key, const nlohmann::json& value, std::uint32_t& out) const {
  const auto number = integer<std::uint32_t>(value);
  if (!number) fail(key, "a non-negative integer below 2^32", value);
  out = *number;
}

void JsonFields::read(const char* key, const nlohmann::json& value, std::int64_t& out) const {
  const auto number = integer<std::int64_t>(value);
  if (!number) fail(key, "an integer", value);
  out = *number;
}

void JsonFields::read(const char* key, const nlohmann::json& value, std::int32_t& out) const {
  const auto number = integer<std::int32_t>(value);
  if (!number) fail(key, "an integer of 32 bits", value);
  out = *number;
}

void JsonFields::read(const char* key, const nlohmann::json& value, double& out) const {
  if (!value.is_number()) fail(key, "a number", value);
  out = value.get<double>();
}

void JsonFields::read(const char* key, const nlohmann::json& value, bool& out) const {
  if (!value.is_boolean()) fail(key, "true or false", value);
  out = value.get<bool>();
}

void JsonFields::read(const char* key, const nlohmann::json& value, std::string& out) const {
  if (!value.is_string()) fail(key, "a string", value);
  out = value.get_ref<const std::string&>();
}

void JsonFields::read(const char* key, const nlohmann::json& value, std::vector<std::string>& out) const {
  if (!value.is_array()) fail(key, "a list of strings", value);
  out.clear();
  for (const nlohmann::json& item : value) {
    if (!item.is_string()) fail(key, "a list of strings", value);
    out.push_back(item.get_ref<const std::string&>());
  }
}

void JsonFields::read(const char* key, const nlohmann::json& value, std::map<std::string, std::int64_t>& out) const {
  if (!value.is_object()) fail(key, "an object of integers", value);
  out.clear();
  for (const auto& [name, item] : value.items()) {
    const auto number = integer<std::int64_t>(item);
    if (!number) fail(fmt::format("{}.{}", key, name), "an integer", item);
    out.emplace(name, *number);
  }
}

}  // namespace writecanary
