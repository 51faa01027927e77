#include "core/run/profile_info.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/run/protocol.h"

namespace writecanary {
namespace {

using nlohmann::json;

json sample() {
  return json::parse(R"({
      "name": "append", "title": "io_uring appends", "description": "d", "role": "detector", "oracle": "o",
      "exposure": "e", "needs_io_uring": true, "variants": ["async"],
      "options": [{"name": "writers", "description": "how many", "unit": "count", "minimum": -1, "maximum": 8,
                   "default_value": 2}],
      "references": ["https://example.org/a", "b"]})");
}

TEST(ProfileInfo, ComesBackAsItWas) {
  const auto info = sample().get<ProfileInfo>();
  EXPECT_EQ(info.name, "append");
  EXPECT_EQ(info.options.at(0).minimum, -1);
  EXPECT_EQ(info.references.size(), 2U);
  EXPECT_EQ(json(info), sample());
}

TEST(ProfileInfo, EveryFieldMustBeThere) {
  const json whole = sample();
  for (const auto& [key, value] : whole.items()) {
    json incomplete = whole;
    incomplete.erase(key);
    EXPECT_THAT([&] { incomplete.get<ProfileInfo>(); },
                testing::ThrowsMessage<ProtocolError>("profile: " + key + ": this field is missing"));
  }
  for (const auto& [key, value] : whole.at("options").at(0).items()) {
    json incomplete = whole;
    incomplete.at("options").at(0).erase(key);
    EXPECT_THAT([&] { incomplete.get<ProfileInfo>(); },
                testing::ThrowsMessage<ProtocolError>("profile option: " + key + ": this field is missing"));
  }
}

TEST(ProfileInfo, ErrorsNameTheField) {
  struct Case {
    const char* key;
    json value;
    const char* error;
  };
  const Case cases[] = {{"options", "none", "profile: options: expected a list, got \"none\""},
                        {"options", {1}, "profile option: expected an object, got 1"},
                        {"references", {1}, "profile: references: expected a list of strings, got [1]"},
                        {"references", "a", "profile: references: expected a list of strings, got \"a\""}};
  for (const auto& [key, value, error] : cases) {
    json damaged = sample();
    damaged[key] = value;
    EXPECT_THAT([&] { damaged.get<ProfileInfo>(); }, testing::ThrowsMessage<ProtocolError>(error));
  }
}

TEST(Catalogue, FindsByName) {
  Catalogue catalogue(2);
  catalogue[0].name = "append";
  catalogue[1].name = "offset";
  EXPECT_EQ(find_profile(catalogue, "offset"), &catalogue[1]);
  EXPECT_EQ(find_profile(catalogue, "off"), nullptr);
  EXPECT_EQ(find_profile({}, "append"), nullptr);
}

}  // namespace
}  // namespace writecanary
