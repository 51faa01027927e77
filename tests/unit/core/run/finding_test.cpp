#include "core/run/finding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "core/run/protocol.h"
#include "tests/unit/core/samples.h"

namespace writecanary {
namespace {

using nlohmann::json;

TEST(FindingKind, HasNameClassAndDescription) {
  struct Case {
    FindingKind kind;
    std::string_view text;
    std::string_view class_text;
  };
  constexpr Case kCases[] = {{FindingKind::kDuplicate, "duplicate", "corruption"},
                             {FindingKind::kMissing, "missing", "corruption"},
                             {FindingKind::kTorn, "torn", "atomicity"},
                             {FindingKind::kMisplaced, "misplaced", "corruption"},
                             {FindingKind::kStale, "stale", "corruption"},
                             {FindingKind::kZeroed, "zeroed", "corruption"},
                             {FindingKind::kForeign, "foreign", "corruption"},
                             {FindingKind::kBitflip, "bitflip", "corruption"},
                             {FindingKind::kSizeMismatch, "size_mismatch", "corruption"},
                             {FindingKind::kNowaitContract, "nowait_contract", "contract"},
                             {FindingKind::kStuck, "stuck", "availability"}};
  EXPECT_EQ(std::size(kCases), kFindingKindCount);
  std::set<std::string_view> descriptions;
  for (const auto& [kind, text, class_text] : kCases) {
    EXPECT_EQ(to_string(kind), text);
    EXPECT_EQ(parse_finding_kind(text), kind);
    EXPECT_EQ(to_string(class_of(kind)), class_text);
    EXPECT_TRUE(describe(kind).ends_with('.')) << describe(kind);
    EXPECT_TRUE(descriptions.insert(describe(kind)).second) << describe(kind);
  }
  EXPECT_EQ(parse_finding_kind("Torn"), std::nullopt);
  EXPECT_EQ(parse_finding_kind(""), std::nullopt);
}

TEST(Route, HasName) {
  constexpr std::pair<Route, std::string_view> kRoutes[] = {
      {Route::kInline, "inline"}, {Route::kPunted, "punted"}, {Route::kSync, "sync"}, {Route::kRing, "ring"}};
  for (const auto& [route, text] : kRoutes) {
    EXPECT_EQ(to_string(route), text);
    EXPECT_EQ(parse_route(text), route);
  }
  EXPECT_EQ(parse_route("async"), std::nullopt);
}

TEST(Finding, IsWrittenWithTheNamesOfTheApi) {
  const json expected = json::parse(R"({
      "kind": "torn", "class": "atomicity", "file": "run-7/a.0", "offset_bytes": 4096, "length_bytes": 128,
      "source_offset_bytes": 77, "page_aligned": true,
      "write": {"index": 10, "writer": 11, "stream_offset_bytes": 12, "length_bytes": 13, "route": "punted",
                "result": -12, "inline_bytes": 14, "disarmed": true, "at_us": 15},
      "intruder": {"index": 20, "writer": 21, "stream_offset_bytes": 22, "length_bytes": 23, "route": "punted",
                   "result": -12, "inline_bytes": 24, "disarmed": true, "at_us": 25},
      "context_offset_bytes": 4032, "expected_hex": "00ff", "found_hex": "ff00",
      "detail": "write 10 is split by write 20", "views": {"hot": "wrong", "cold": "right", "direct": null}})");
  EXPECT_EQ(json(sample_finding()), expected);
}

TEST(Finding, ComesBackAsItWas) {
  const json full = sample_finding();
  EXPECT_EQ(json(full.get<Finding>()), full);
}

TEST(Finding, AbsentPartsAreNull) {
  const json bare = Finding{};
  EXPECT_TRUE(bare.at("source_offset_bytes").is_null());
  EXPECT_TRUE(bare.at("write").is_null());
  EXPECT_TRUE(bare.at("intruder").is_null());
  const auto finding = bare.get<Finding>();
  EXPECT_EQ(finding.source_offset_bytes, std::nullopt);
  EXPECT_FALSE(finding.write.has_value());
  EXPECT_FALSE(finding.intruder.has_value());
}

TEST(Finding, ReadingReplacesWhatWasThere) {
  auto finding = sample_finding();
  from_json(json(Finding{}), finding);
  EXPECT_EQ(json(finding), json(Finding{}));
}

TEST(Finding, ErrorsNameTheField) {
  struct Case {
    const char* pointer;
    json value;
    const char* error;
  };
  const Case cases[] = {
      {"/kind", "corrupt", "finding: kind: expected a finding kind, got \"corrupt\""},
      {"/kind", 3, "finding: kind: expected a finding kind, got 3"},
      {"/offset_bytes", -1, "finding: offset_bytes: expected a non-negative integer, got -1"},
      {"/page_aligned", 1, "finding: page_aligned: expected true or false, got 1"},
      {"/source_offset_bytes", 1.5, "finding: source_offset_bytes: expected a non-negative integer, got 1.5"},
      {"/detail", nullptr, "finding: detail: expected a string, got null"},
      {"/write/route", "fast", "write: route: expected inline, punted, sync or ring, got \"fast\""},
      {"/write/writer", 1ULL << 32, "write: writer: expected a non-negative integer below 2^32, got 4294967296"},
      {"/write/result", 1ULL << 63, "write: result: expected an integer, got 9223372036854775808"},
      {"/intruder", "none", "write: expected an object, got \"none\""},
  };
  for (const auto& [pointer, value, error] : cases) {
    json damaged = sample_finding();
    damaged[json::json_pointer(pointer)] = value;
    EXPECT_THAT([&] { damaged.get<Finding>(); }, testing::ThrowsMessage<ProtocolError>(error));
  }
}

TEST(Finding, EveryFieldButTheOptionalOnesAndTheClassMustBeThere) {
  const json whole = sample_finding();
  for (const auto& [key, value] : whole.items()) {
    json incomplete = whole;
    incomplete.erase(key);
    if (key == "class" || key == "source_offset_bytes" || key == "write" || key == "intruder" || key == "views") {
      EXPECT_NO_THROW(incomplete.get<Finding>()) << key;
    } else {
      EXPECT_THAT([&] { incomplete.get<Finding>(); },
                  testing::ThrowsMessage<ProtocolError>("finding: " + key + ": this field is missing"));
    }
  }
}

}  // namespace
}  // namespace writecanary
