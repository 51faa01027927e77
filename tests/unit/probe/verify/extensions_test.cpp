// A file that is made longer between and within writes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/probe/file_under_test.h"

namespace writecanary::probe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using enum FindingKind;

constexpr std::uint32_t kWriter = 0, kExtender = 1;

class ExtensionsTest : public testing::Test {
 protected:
  ExtensionsTest() : file_(2) {
    file_.log.extender = kExtender;
    file_.write(20'008);
    extend(4'104);
    file_.write(9'000);
  }

  void extend(std::uint64_t length) {
    file_.log_write(length, kExtender);
    file_.insert(file_.content.size(), zeros(length));
  }
  std::vector<Brief> found() const { return briefs(file_.verify()); }

  FileUnderTest file_;
};

TEST_F(ExtensionsTest, BetweenWritesAreClean) {
  EXPECT_THAT(found(), IsEmpty());
  extend(1'024);
  extend(2'048);
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(ExtensionsTest, InsideAWriteTearsIt) {
  const std::uint64_t base = file_.content.size();
  const WriteRef big = file_.log_write(40'000, kWriter);
  file_.put(kWriter, big.stream_offset_bytes, 12'000);
  extend(2'000);
  file_.put(kWriter, big.stream_offset_bytes + 12'000, 28'000);
  const FileReport report = file_.verify();
  ASSERT_THAT(briefs(report), ElementsAre(Brief{kTorn, base + 12'000, 2'000, big.stream_offset_bytes + 12'000}));
  EXPECT_EQ(report.findings[0].detail,
            "write 2 of writer 0 (40000 bytes) is split at offset 41008 of writer 0: 2000 bytes by which the file was "
            "made longer stand inside");
}

TEST_F(ExtensionsTest, ZerosThatNobodyAskedForAreDamage) {
  file_.overwrite(8'000, zeros(512));
  EXPECT_THAT(found(), ElementsAre(Brief{kZeroed, 8'000, 512, {}}));
}

TEST_F(ExtensionsTest, MoreZerosThanAskedForAreDamageBehindThem) {
  file_.overwrite(24'112, zeros(1'000));
  EXPECT_THAT(found(), ElementsAre(Brief{kZeroed, 24'112, 1'000, {}}));
}

// It has no place of its own to be missed at.
TEST_F(ExtensionsTest, AnExtensionThatIsNotThereIsMissing) {
  file_.erase(20'008, 4'104);
  EXPECT_THAT(found(), ElementsAre(Brief{kMissing, 0, 4'104, 0}));
}

TEST_F(ExtensionsTest, WhatIsExpectedThereIsZeros) {
  file_.overwrite(21'000, pattern_bytes({.run = 9, .file = 9}, true, 0, 800));
  const FileReport report = file_.verify();
  ASSERT_FALSE(report.findings.empty());
  EXPECT_NE(report.findings[0].found_hex, "");
}

}  // namespace
}  // namespace writecanary::probe
