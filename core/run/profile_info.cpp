#include "core/run/profile_info.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/json_fields.h"

namespace writecanary {

void to_json(nlohmann::json& out, const ProfileOption& option) {
  out = {{"name", option.name},       {"description", option.description}, {"unit", option.unit},
         {"minimum", option.minimum}, {"maximum", option.maximum},         {"default_value", option.default_value}};
}

void from_json(const nlohmann::json& in, ProfileOption& option) {
  JsonFields fields(in, "profile option");
  fields.require("name", option.name);
  fields.require("description", option.description);
  fields.require("unit", option.unit);
  fields.require("minimum", option.minimum);
  fields.require("maximum", option.maximum);
  fields.require("default_value", option.default_value);
}

void to_json(nlohmann::json& out, const ProfileInfo& info) {
  out = {{"name", info.name},
         {"title", info.title},
         {"description", info.description},
         {"role", info.role},
         {"oracle", info.oracle},
         {"exposure", info.exposure},
         {"needs_io_uring", info.needs_io_uring},
         {"variants", info.variants},
         {"options", info.options},
         {"references", info.references}};
}

void from_json(const nlohmann::json& in, ProfileInfo& info) {
  JsonFields fields(in, "profile");
  fields.require("name", info.name);
  fields.require("title", info.title);
  fields.require("description", info.description);
  fields.require("role", info.role);
  fields.require("oracle", info.oracle);
  fields.require("exposure", info.exposure);
  fields.require("needs_io_uring", info.needs_io_uring);
  fields.require("variants", info.variants);
  fields.require("options", info.options);
  fields.require("references", info.references);
}

const ProfileInfo* find_profile(const Catalogue& catalogue, std::string_view name) {
  const auto profile = std::ranges::find(catalogue, name, &ProfileInfo::name);
  return profile == catalogue.end() ? nullptr : &*profile;
}

}  // namespace writecanary
