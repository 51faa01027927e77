// The C that comes out, as text; that it compiles and shows what it should is tests/e2e/reproducer_test.py.
#include "core/report/reproducer/reproducer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/report/reproducer/operations.h"

namespace writecanary {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ReproducerTest : public testing::Test {
 protected:
  ReproducerTest() {
    finding_.kind = FindingKind::kDuplicate;
    finding_.detail = "4096 bytes stand twice";
    spec_.profile = "append";
    spec_.seed = 18446744073709551615ULL;
  }
  Reproducer make() const {
    return make_reproducer({.finding = finding_,
                            .spec = spec_,
                            .kernel = {"6.1.0-47-cloud-amd64", "#1 SMP Debian 6.1.170-1", "x86_64"},
                            .filesystem = filesystem_,
                            .origin = "finding 7"});
  }

  Finding finding_;
  RunSpec spec_;
  FilesystemFacts filesystem_{.type = "xfs"};
};

TEST_F(ReproducerTest, ThereIsOneForEachOfTheseProfiles) {
  EXPECT_THAT(reproducible_profiles(), ElementsAre("append", "append-interposed", "append-concurrent",
                                                   "nowait-contract", "direct-append", "mixed-model"));
  finding_.operations = {"fsync"};
  for (const std::string& profile : reproducible_profiles()) {
    spec_.profile = profile;
    const Reproducer made = make();
    EXPECT_THAT(made.refusal, IsEmpty()) << profile;
    EXPECT_THAT(made.source, HasSubstr("static void attempt(void)\n{")) << profile;
    EXPECT_THAT(made.source, HasSubstr("int main(int argc, char **argv)")) << profile;
    EXPECT_THAT(made.source, Not(HasSubstr("#include \""))) << profile;
  }
}

TEST_F(ReproducerTest, AnotherProfileIsRefusedWithWhatThereIs) {
  spec_.profile = "archive";
  const Reproducer made = make();
  EXPECT_THAT(made.source, IsEmpty());
  EXPECT_THAT(made.refusal, HasSubstr("no reproducer for the profile archive; there is one for append, append-inter"));
}

TEST_F(ReproducerTest, SaysOnTopWhatWasFoundWhere) {
  const std::string source = make().source;
  EXPECT_TRUE(source.starts_with("/*\n * Bytes of this file stand in it a second time"));
  for (const char* text : {"6.1.0-47-cloud-amd64", "Debian 6.1.170-1", "xfs", "4096 bytes stand twice", "finding 7",
                           "gcc repro.c -luring"}) {
    EXPECT_THAT(source.substr(0, source.find("*/")), HasSubstr(text));
  }
}

TEST_F(ReproducerTest, NothingInAFindingEndsTheComment) {
  finding_.detail = "a */ b **/ c /* d \xE9\n#define SEED 5 */";
  const std::string source = make().source;
  const std::string comment = source.substr(0, source.find("*/"));
  EXPECT_THAT(comment, HasSubstr("#define SEED 5"));
  EXPECT_THAT(comment, HasSubstr("gcc repro.c"));
  EXPECT_THAT(comment, Not(HasSubstr("\xE9")));
  EXPECT_EQ(comment.find("/*", 2), std::string::npos);
}

TEST_F(ReproducerTest, HasTheNumbersOfTheRun) {
  EXPECT_THAT(make().source, HasSubstr("#define SEED 18446744073709551615ull\n#define WRITES 200\n"));
  EXPECT_THAT(make().source, HasSubstr("#define HEADROOM_BYTES 0\n"));
  spec_.profile = "append-interposed";
  spec_.writes_max = 300;
  spec_.memory_bytes = 32 << 20;
  spec_.options = {{"between", 2}, {"headroom_bytes", 65536}, {"unknown", 1}};
  const std::string source = make().source;
  for (const char* line : {"#define WRITES 300\n", "#define MEMORY_BYTES 33554432ull\n",
                           "#define HEADROOM_BYTES 65536ull\n", "#define BETWEEN 2 /* 0:"}) {
    EXPECT_THAT(source, HasSubstr(line));
  }
}

TEST_F(ReproducerTest, TornAppendsCountWhereTheyAreTheFinding) {
  spec_.profile = "append-interposed";
  EXPECT_THAT(make().source, HasSubstr("#define TORN_COUNTS 0\n"));
  finding_.kind = FindingKind::kTorn;
  EXPECT_THAT(make().source, HasSubstr("#define TORN_COUNTS 1\n"));
}

TEST_F(ReproducerTest, MixedModelDoesItsOperationsAndNoOther) {
  spec_.profile = "mixed-model";
  EXPECT_THAT(make().refusal, HasSubstr("does not list the operations"));
  finding_.operations = {"write 4096+300 (io_uring)", "truncate to 100"};
  EXPECT_THAT(make().source,
              HasSubstr("\t/* operations */\n\t{ WRITE, 4096, 300, 0, 1 },\n\t{ TRUNCATE, 100, 0, 0, 0 },\n"
                        "\t/* end of operations */\n"));
  finding_.operations = {"write 1+2", "explode"};
  EXPECT_THAT(make().refusal, HasSubstr("\"explode\""));
}

TEST(OperationRowTest, EveryKind) {
  const std::pair<const char*, const char*> kCases[] = {
      {"append 300", "{ APPEND, 0, 300, 0, 0 }"},
      {"append 300 (io_uring)", "{ APPEND, 0, 300, 0, 1 }"},
      {"copy 1+2 to 3", "{ COPY, 1, 2, 3, 0 }"},
      {"fsync", "{ FSYNC, 0, 0, 0, 0 }"},
      {"clone", "{ CLONE, 0, 0, 0, 0 }"},
      {"write to the clone 5+6", "{ WRITE_TO_CLONE, 5, 6, 0, 0 }"},
      {"mapped read 5+6", "{ MAPPED_READ, 5, 6, 0, 0 }"},
      {"zero range 5+6", "{ ZERO_RANGE, 5, 6, 0, 0 }"},
      {"store behind the end", "{ STORE_BEHIND_END, 0, 0, 0, 0 }"},
      {"store behind the end and fsync", "{ STORE_BEHIND_END_FSYNC, 0, 0, 0, 0 }"},
      {"write during write-back 5+6", "{ REWRITE, 5, 6, 0, 0 }"},
      {"direct writes at once 5+6", "{ DIRECT_AT_ONCE, 5, 6, 0, 0 }"},
      {"clone range 1+2 to 3", "{ CLONE_RANGE, 1, 2, 3, 0 }"},
      {"interrupted allocation", "{ INTERRUPTED_ALLOCATION, 0, 0, 0, 0 }"},
      {"deduplicate 5+6", "{ DEDUPLICATE, 5, 6, 0, 0 }"}};
  for (const auto& [text, row] : kCases) EXPECT_EQ(operation_row(text), row) << text;
}

TEST(OperationRowTest, WhatIsNoneIsNothing) {
  for (const char* text :
       {"", "write", "write 1", "write 1+", "write 1+2 (io", "write near the end 1+2", "copy 1+2", "copy 1+2 to",
        "fsync 1", "append", "append -1", "truncate to 99999999999999999999", "write 1+2 }, { PUNCH"}) {
    EXPECT_EQ(operation_row(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace writecanary
