#include "probe/profiles/mixed_model/operation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/report/reproducer/operations.h"
#include "core/report/reproducer/reproducer.h"

namespace writecanary::probe {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// One of each kind, as a finding lists them: their places no longer lie near the end.
std::vector<Operation> one_of_each() {
  std::vector<Operation> operations;
  for (std::size_t kind = 0; kind < kOpKindCount; ++kind) {
    operations.push_back({.kind = static_cast<OpKind>(kind), .offset = 11, .length = 22, .target = 33});
  }
  return operations;
}

// "{ WRITE, 11, 22, 0, 0 }" -> "WRITE"
std::string constant_of(const std::string& row) { return row.substr(2, row.find(',') - 2); }

TEST(OperationTest, EveryOneHasARowOfItsOwnInTheReproducer) {
  std::set<std::string> constants;
  for (const Operation& operation : one_of_each()) {
    const std::string text = to_string(operation);
    const auto row = operation_row(text);
    ASSERT_TRUE(row) << text;
    ASSERT_THAT(*row, StartsWith("{ "));
    EXPECT_TRUE(constants.insert(constant_of(*row)).second) << text << " is taken for another: " << *row;
  }
}

TEST(OperationTest, WhatTheSeedPlansHasARow) {
  for (const Operation& planned : plan_operations(7, 2000, 256 << 10, true)) {
    Operation resolved = planned;
    resolved.near_end = false;
    EXPECT_TRUE(operation_row(to_string(resolved))) << to_string(resolved);
  }
}

// The program in C has a constant for each and does something for it.
TEST(OperationTest, EveryOneIsKnownToTheProgramInC) {
  Finding finding;
  for (const Operation& operation : one_of_each()) finding.operations.push_back(to_string(operation));
  RunSpec spec;
  spec.profile = "mixed-model";
  const KernelFacts kernel;
  const FilesystemFacts filesystem;
  const Reproducer made =
      make_reproducer({.finding = finding, .spec = spec, .kernel = kernel, .filesystem = filesystem});
  ASSERT_EQ(made.refusal, "");
  for (const std::string& text : finding.operations) {
    const std::string row = operation_row(text).value_or("");
    EXPECT_THAT(made.source, HasSubstr("\n\t" + row + ",\n"));
    EXPECT_THAT(made.source, HasSubstr("\n\t" + constant_of(row) + ",\n")) << "in the enum";
    EXPECT_THAT(made.source, HasSubstr("\n\tcase " + constant_of(row) + ":\n"));
  }
}

}  // namespace
}  // namespace writecanary::probe
