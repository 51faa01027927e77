// What a profile says of itself: the probe's catalogue as everyone else sees it.
//
// `writecanary-probe --catalogue` prints it as JSON; daemon, API, page and command line know profiles only through it,
// so that a new workload touches nothing but probe/profiles.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace writecanary {

struct ProfileOption {
  std::string name;
  std::string description;
  std::string unit;  // "bytes", "count", ...
  std::int64_t minimum = 0;
  std::int64_t maximum = 0;
  std::int64_t default_value = 0;
};

struct ProfileInfo {
  std::string name;
  std::string title;        // a few words
  std::string description;  // what it does
  std::string role;         // "detector" looks for a bug, "control" shows what is safe
  std::string oracle;       // what must hold
  std::string exposure;     // what counts as having reached the trigger
  bool needs_io_uring = false;
  std::vector<std::string> variants =
      {};  // names (core/run/attribution.h) of the other ways in which it can issue its writes
  std::vector<ProfileOption> options;
  std::vector<std::string> references;
};

void to_json(nlohmann::json& out, const ProfileOption& option);
void from_json(const nlohmann::json& in, ProfileOption& option);
void to_json(nlohmann::json& out, const ProfileInfo& info);
void from_json(const nlohmann::json& in, ProfileInfo& info);

using Catalogue = std::vector<ProfileInfo>;

// Null when there is no such profile. The pointer lives as long as the catalogue.
const ProfileInfo* find_profile(const Catalogue& catalogue, std::string_view name);

}  // namespace writecanary
