#include "core/base/system_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "core/base/json_text.h"

namespace writecanary {
namespace {

using nlohmann::json;

struct Case {
  std::string bytes, name, text;
};

const Case kCases[] = {
    {"/data", "/data", "/data"},
    {"/caf\xc3\xa9 \"x\" 'y' #1", "/caf\xc3\xa9 \"x\" 'y' #1", "/caf\xc3\xa9 \"x\" 'y' #1"},
    {"/caf\xe9", R"(/caf\xe9)", R"(/caf\xe9)"},
    {"/a\nb\tc\x7f", R"(/a\x0ab\x09c\x7f)", R"(/a\x0ab\x09c\x7f)"},
    {"/a\\b", R"(/a\b)", R"(/a\b)"},
    {R"(/dev-disk\x2did)", R"(/dev-disk\x5cx2did)", R"(/dev-disk\x2did)"},
    {R"(/\xg1\x1)", R"(/\xg1\x1)", R"(/\xg1\x1)"},
    {"\xc2\x9b"
     "31m",
     R"(\xc2\x9b31m)", R"(\xc2\x9b31m)"},
    // Overlong, a surrogate, beyond U+10FFFF, cut off; and the last code point there is.
    {"\xc0\xaf", R"(\xc0\xaf)", R"(\xc0\xaf)"},
    {"\xe0\x9f\xbf", R"(\xe0\x9f\xbf)", R"(\xe0\x9f\xbf)"},
    {"\xed\xa0\x80", R"(\xed\xa0\x80)", R"(\xed\xa0\x80)"},
    {"\xf4\x90\x80\x80", R"(\xf4\x90\x80\x80)", R"(\xf4\x90\x80\x80)"},
    {"\xf0\x9f\x98", R"(\xf0\x9f\x98)", R"(\xf0\x9f\x98)"},
    {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
    {"", "", ""},
};

TEST(SystemText, NamesAreEscapedAndComeBack) {
  for (const Case& each : kCases) {
    EXPECT_EQ(system_name(each.bytes), each.name);
    EXPECT_EQ(system_bytes(each.name), each.bytes);
    EXPECT_EQ(system_text(each.bytes), each.text);
    EXPECT_EQ(system_text(each.text), each.text) << "a second time changes nothing";
  }
  EXPECT_EQ(system_bytes(R"(\xE9\)"), "\xe9\\") << "as people write it";
}

// What is likely to be mistaken for something else, in every order.
TEST(SystemText, NoTwoNamesLookTheSame) {
  std::mt19937 random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same names in every run
  constexpr std::string_view kPieces[] = {"\\", "x", "5c", "e9", "\xe9", "\xc3", "\xa9", "\n", "a", "\xc2\x85"};
  std::uniform_int_distribution<std::size_t> piece(0, std::size(kPieces) - 1);
  std::set<std::string> all, names;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes;
    for (int length = 0; length < 5; ++length) bytes += kPieces[piece(random)];
    const std::string name = system_name(bytes);
    ASSERT_EQ(system_bytes(name), bytes);
    ASSERT_NO_THROW(static_cast<void>(json(name).dump())) << name;
    all.insert(bytes);
    names.insert(name);
  }
  EXPECT_EQ(names.size(), all.size());
}

TEST(JsonText, TakesAnyBytes) {
  EXPECT_EQ(json_text({{"a", 1}, {"b", {"x", nullptr}}}), R"({"a":1,"b":["x",null]})");
  EXPECT_EQ(json_text({{"a", 1}}, 1), "{\n \"a\": 1\n}");
  const json odd = {{"key \xe9", {"two\nlines \xff \\x41", {{"deep", "\xed\xa0\x80"}}, true}}};
  const json read = json::parse(json_text(odd));
  EXPECT_EQ(read, json::parse(R"({"key \\xe9": ["two\nlines \\xff \\x41", {"deep": "\\xed\\xa0\\x80"}, true]})"));
}

}  // namespace
}  // namespace writecanary
