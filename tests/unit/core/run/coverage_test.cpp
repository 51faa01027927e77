#include "core/run/coverage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace writecanary {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr CoverageCell kDirectHole = {CoveredOperation::kWrite, CoveredWay::kDirect, CoveredState::kHole};

Coverage two_writes_and_a_read() {
  Coverage coverage;
  coverage.add(CoveredOperation::kWrite, CoveredWay::kDirect, {CoveredState::kHole, CoveredState::kShared});
  coverage.add(CoveredOperation::kWrite, CoveredWay::kDirect, {CoveredState::kHole});
  coverage.add(CoveredOperation::kRead, CoveredWay::kPlain, {});
  return coverage;
}

bool is_empty(const Coverage& coverage, const std::string& name) {
  return std::ranges::any_of(coverage.empty_cells(), [&](const CoverageCell& cell) { return to_string(cell) == name; });
}

TEST(CoverageTest, AnOperationCountsForEachStateThatItMet) {
  const Coverage coverage = two_writes_and_a_read();
  EXPECT_EQ(coverage.operations(CoveredOperation::kWrite, CoveredWay::kDirect), 2U);
  EXPECT_EQ(coverage.count(kDirectHole), 2U);
  EXPECT_EQ(coverage.count({CoveredOperation::kWrite, CoveredWay::kDirect, CoveredState::kShared}), 1U);
  // Of which nothing is known counts for none.
  EXPECT_EQ(coverage.operations(CoveredOperation::kRead, CoveredWay::kPlain), 1U);
  EXPECT_TRUE(is_empty(coverage, "read, plain, clean"));
}

TEST(CoverageTest, WhatWasNeverCountedIsNamedAndWhatCannotBeIsNot) {
  EXPECT_FALSE(is_empty(two_writes_and_a_read(), "write, direct, hole"));
  EXPECT_TRUE(is_empty(two_writes_and_a_read(), "write, direct, mapped"));
  EXPECT_FALSE(is_empty(two_writes_and_a_read(), "truncate, direct, hole"));
  EXPECT_FALSE(is_empty(two_writes_and_a_read(), "collapse range, plain, beyond the end"));
  EXPECT_TRUE(is_empty(two_writes_and_a_read(), "collapse range, plain, shared"));
}

TEST(CoverageTest, AddsUp) {
  Coverage sum = two_writes_and_a_read();
  sum.add(two_writes_and_a_read());
  EXPECT_EQ(sum.count(kDirectHole), 4U);
  EXPECT_EQ(sum.operations(CoveredOperation::kRead, CoveredWay::kPlain), 2U);
}

TEST(CoverageTest, ComesBackFromJson) {
  const json text = two_writes_and_a_read();
  EXPECT_EQ(text, json::parse(R"({"write": {"direct": {"operations": 2, "hole": 2, "shared": 1}},
                                  "read": {"plain": {"operations": 1}}})"));
  EXPECT_EQ(json(text.get<Coverage>()), text);
}

TEST(CoverageTest, JsonOfSomethingElseIsRefused) {
  EXPECT_THAT([] { static_cast<void>(json::parse(R"({"write": {"sideways": {}}})").get<Coverage>()); },
              ThrowsMessage<ProtocolError>(HasSubstr("nothing is called \"sideways\"")));
  EXPECT_THAT([] { static_cast<void>(json::parse(R"({"write": {"direct": {"hole": "two"}}})").get<Coverage>()); },
              ThrowsMessage<ProtocolError>(HasSubstr("coverage: ")));
}

}  // namespace
}  // namespace writecanary
