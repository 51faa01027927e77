// The shapes of requests and answers as JSON Schema, for openapi.h.
#pragma once

#include <nlohmann/json.hpp>

#include "core/run/verdict.h"

namespace writecanary::api {

// By name: "Run", "Finding", "StartRequest", "Problem", ...
nlohmann::json answer_schemas();
// Those of activity, history and pictures.
nlohmann::json history_schemas();
// Those of incidents.
nlohmann::json incident_schemas();
nlohmann::json request_schemas();
nlohmann::json problem_schemas();

// Small words of the schema language, shared by the files of the description.
namespace schema {

using nlohmann::json;

inline json reference(const std::string& name) { return {{"$ref", "#/components/schemas/" + name}}; }
inline json text(const std::string& description = "") {
  json type = {{"type", "string"}};
  if (!description.empty()) type["description"] = description;
  return type;
}
// What each of these enumerators is called.
template <typename All>
json names_of(const All& all) {
  json names = json::array();
  for (const auto each : all) names.push_back(to_string(each));
  return names;
}
inline json integer(std::int64_t minimum = 0) { return {{"type", "integer"}, {"minimum", minimum}}; }
inline json seed() {
  json type = text("A number of 64 bits as text: many readers of JSON round it otherwise");
  type["pattern"] = "^[0-9]{1,20}$";
  return type;
}
inline json number() { return {{"type", "number"}}; }
inline json boolean() { return {{"type", "boolean"}}; }
inline json time() { return {{"type", "string"}, {"format", "date-time"}}; }
inline json list_of(const json& items) { return {{"type", "array"}, {"items", items}}; }
inline json map_of(const json& values) { return {{"type", "object"}, {"additionalProperties", values}}; }
inline json or_null(const json& type) { return {{"anyOf", json::array({type, {{"type", "null"}}})}}; }
inline json one_of(const json& values) { return {{"type", "string"}, {"enum", values}}; }
inline json verdict() { return one_of(names_of(kAllVerdicts)); }

// Every property is required but the optional ones.
json object(const json& properties, const std::vector<std::string>& optional = {});

}  // namespace schema

}  // namespace writecanary::api
