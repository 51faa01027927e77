// The rows that parser, dump, checks and reference share.
#include "daemon/config/config_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>

#include "core/base/fd.h"
#include "daemon/config/config_reference.h"
#include "daemon/config/config_toml.h"

namespace writecanary::daemon {
namespace {

using testing::HasSubstr;

void change(Text text) { *text.value += "x"; }
void change(Texts texts) { texts.value->emplace_back("x"); }
void change(Flag flag) { *flag.value = !*flag.value; }
void change(Count count) { ++*count.value; }
void change(Number number) { *number.value += 1; }
void change(Percent percent) { *percent.value += 1; }
void change(Path path) { *path.value += "/x"; }
void change(Size size) { ++*size.value; }
void change(Duration duration) { *duration.value += std::chrono::milliseconds{1}; }
void change(Space space) { space.value->percent += 1; }

template <typename Owner>
std::vector<std::string> values(std::span<const Key<Owner>> keys, Owner& owner) {
  std::vector<std::string> all;
  for (const auto& key : keys) all.push_back(written(key.in(owner)));
  return all;
}

// Every row has a place of its own: what changes one changes no other.
template <typename Owner>
void expect_places_of_their_own(std::span<const Key<Owner>> keys) {
  for (std::size_t changed = 0; changed < keys.size(); ++changed) {
    Owner owner;
    const auto before = values(keys, owner);
    std::visit([](auto form) { change(form); }, keys[changed].in(owner));
    const auto after = values(keys, owner);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      EXPECT_EQ(before[i] != after[i], i == changed) << keys[i].name << " when " << keys[changed].name << " changes";
    }
  }
}

std::vector<Key<Config>> keys_of_the_config() {
  std::vector<Key<Config>> all;
  for (const auto& keys : {server_keys(), storage_keys(), webhook_keys(), host_keys()}) {
    all.insert(all.end(), keys.begin(), keys.end());
  }
  return all;
}

TEST(ConfigKeys, EachHasAPlaceOfItsOwn) {
  expect_places_of_their_own<Config>(keys_of_the_config());
  expect_places_of_their_own(settings_keys());
  expect_places_of_their_own(target_keys());
  expect_places_of_their_own(token_keys());
}

TEST(ConfigKeys, RangesAreHeldAtTheirEnds) {
  std::uint64_t bytes = (16ULL << 20) - 1;
  const Range range{16ULL << 20, 4ULL << 30};
  EXPECT_NE(range_complaint("memory", Size{&bytes}, range), std::nullopt);
  ++bytes;
  EXPECT_EQ(range_complaint("memory", Size{&bytes}, range), std::nullopt);
  bytes = 4ULL << 30;
  EXPECT_EQ(range_complaint("memory", Size{&bytes}, range), std::nullopt);
  ++bytes;
  EXPECT_NE(range_complaint("memory", Size{&bytes}, range), std::nullopt);
  std::uint64_t count = 999;
  EXPECT_EQ(range_complaint("max_runs", Count{&count}, {1000}), "max_runs 999 is out of range: 1000 or more");
  double negative = -1;
  EXPECT_EQ(range_complaint("x", Number{&negative}, {0, 100}), "x -1 is out of range: 0 to 100");
}

TEST(ConfigKeys, DefaultsAreWithinTheirRanges) {
  Config config;
  for (const auto& key : keys_of_the_config()) {
    EXPECT_EQ(range_complaint(key.name, key.in(config), key.range), std::nullopt);
  }
  for (const auto& key : settings_keys()) {
    EXPECT_EQ(range_complaint(key.name, key.in(config.defaults), key.range), std::nullopt);
  }
}

TEST(ConfigKeys, TheReferenceNamesEveryKeyWithItsDefault) {
  const auto markdown = config_reference(ReferenceFormat::kMarkdown);
  EXPECT_THAT(markdown, HasSubstr("### [storage]\n"));
  EXPECT_THAT(markdown, HasSubstr("| `max_runs` | `1000000` | "));
  EXPECT_THAT(markdown, HasSubstr("(16 MiB to 4 GiB) |\n"));
  EXPECT_THAT(markdown, HasSubstr("| `sha256` | required | "));
  EXPECT_THAT(markdown, HasSubstr("`printf %s TOKEN \\| sha256sum`"));
  const auto manual = config_reference(ReferenceFormat::kMdoc);
  for (const auto& key : settings_keys()) {
    EXPECT_THAT(markdown, HasSubstr(std::string{"| `"} + key.name + "` | `"));
    EXPECT_THAT(manual, HasSubstr(std::string{".It Ic "} + key.name + "\n"));
  }
  EXPECT_THAT(manual, testing::Not(HasSubstr("](")));
}

// The file that a package installs shows every key, set or behind a comment mark.
TEST(ConfigKeys, TheShippedFileShowsEveryKey) {
  const auto text = read_file(std::filesystem::path(WRITECANARY_SOURCE_DIR) / "systemd/writecanary.toml");
  const auto shown = std::regex_replace(text, std::regex("(^|\n)#(\\[\\[[a-z]+\\]\\]|[a-z_0-9]+ = )"), "$1$2");
  const auto where = parse_config(shown).config.where;
  const auto expect = [&where](const std::string& prefix, const auto& keys) {
    for (const auto& key : keys) EXPECT_TRUE(where.contains(prefix + key.name)) << prefix << key.name;
  };
  expect("server.", server_keys());
  expect("storage.", storage_keys());
  expect("webhook.", webhook_keys());
  expect("defaults.", settings_keys());
  expect("defaults.", host_keys());
  expect("target[0].", target_keys());
  expect("token[0].", token_keys());
}

}  // namespace
}  // namespace writecanary::daemon
