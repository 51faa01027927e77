// Bytes that are not of the file: zeroed, foreign, stale, flipped, and beyond the end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/probe/file_under_test.h"

namespace writecanary::probe {
namespace {

using testing::ElementsAre;
using enum FindingKind;

constexpr Tag kEarlierFile{.run = 77, .file = 2};
constexpr Tag kEarlierRun{.run = 76, .file = 3};

class DamageTest : public testing::TestWithParam<bool> {
 protected:
  DamageTest() : file_(1, GetParam()) {
    for (const std::uint64_t length : {100'000U, 65'544U, 131'080U}) file_.write(length);
  }

  std::vector<Brief> found() const { return briefs(file_.verify()); }
  Bytes stale(Tag tag, std::uint64_t stream_offset, std::size_t count) const {
    return pattern_bytes(tag, GetParam(), stream_offset, count);
  }

  FileUnderTest file_;
};

TEST_P(DamageTest, ZerosInPlace) {
  file_.overwrite(131'072, zeros(4096));
  const FileReport report = file_.verify();
  ASSERT_THAT(briefs(report), ElementsAre(Brief{kZeroed, 131'072, 4096, {}}));
  EXPECT_EQ(report.findings[0].write->index, 1U);
  EXPECT_TRUE(report.findings[0].page_aligned);
  EXPECT_EQ(report.findings[0].detail, "4096 zeros stand where the bytes from offset 131072 on belong");
}

TEST_P(DamageTest, ZerosFromTheFirstByteAndAcrossWrites) {
  file_.overwrite(0, zeros(512));
  file_.overwrite(98'304, zeros(4096));
  EXPECT_THAT(found(), ElementsAre(Brief{kZeroed, 0, 512, {}}, Brief{kZeroed, 98'304, 4096, {}}));
}

TEST_P(DamageTest, ZerosInPlaceOfTheEnd) {
  file_.overwrite(294'912, zeros(file_.content.size() - 294'912));
  EXPECT_THAT(found(), ElementsAre(Brief{kZeroed, 294'912, 1712, {}}));
}

TEST_P(DamageTest, ZerosOfAWholeFile) {
  file_.content = zeros(file_.content.size());
  EXPECT_THAT(found(), ElementsAre(Brief{kZeroed, 0, 296'624, {}}));
}

TEST_P(DamageTest, InsertedZerosReplaceNothing) {
  file_.insert(131'072, zeros(4096));
  const FileReport report = file_.verify();
  ASSERT_THAT(briefs(report), ElementsAre(Brief{kZeroed, 131'072, 4096, {}}));
  EXPECT_FALSE(report.findings[0].write);
  EXPECT_EQ(report.findings[0].detail, "4096 zeros stand between acknowledged bytes and replace none");
}

TEST_P(DamageTest, ZerosInPlaceOfMoreBytesLeaveTheRestMissing) {
  file_.overwrite(131'072, zeros(4096));
  file_.erase(135'168, 1024);
  EXPECT_THAT(found(), ElementsAre(Brief{kZeroed, 131'072, 4096, {}}, Brief{kMissing, 135'168, 1024, 135'168}));
}

TEST_P(DamageTest, ReplacedBytesThatComeLaterAreMisplaced) {
  const Bytes moved = file_.slice(131'072, 4096);
  file_.overwrite(131'072, zeros(4096));
  file_.insert(file_.content.size(), moved);
  EXPECT_THAT(found(), ElementsAre(Brief{kZeroed, 131'072, 4096, {}}, Brief{kMisplaced, 296'624, 4096, 131'072}));
}

TEST_P(DamageTest, ForeignTextInPlace) {
  file_.overwrite(50'001, text("Not what anyone wrote here. ", 3003));
  EXPECT_THAT(found(), ElementsAre(Brief{kForeign, 50'001, 3003, {}}));
}

TEST_P(DamageTest, ForeignBytesWithFewZerosInsideAreOneFinding) {
  Bytes bytes = text("Table of contents", 4096);
  std::fill_n(bytes.begin() + 2000, 300, std::byte{0});
  file_.overwrite(53'248, bytes);
  EXPECT_THAT(found(), ElementsAre(Brief{kForeign, 53'248, 4096, {}}));
}

TEST_P(DamageTest, StaleFromAnEarlierFileAndFromAnEarlierRun) {
  file_.overwrite(53'248, stale(kEarlierFile, 53'248, 4096));
  file_.overwrite(151'552, stale(kEarlierRun, 8192, 8192));
  const FileReport report = file_.verify();
  ASSERT_THAT(briefs(report), ElementsAre(Brief{kStale, 53'248, 4096, 53'248}, Brief{kStale, 151'552, 8192, 8192}));
  EXPECT_EQ(
      report.findings[0].detail,
      "4096 bytes of file 2 of this run, from its offset 53248, stand where the bytes from offset 53248 on belong");
  EXPECT_EQ(report.findings[1].detail,
            "8192 bytes of file 3 of another run (tag 76), from its offset 8192, stand where the bytes from offset "
            "151552 on belong");
}

TEST_P(DamageTest, StaleOfARunWithTheOtherKindOfPattern) {
  file_.overwrite(53'248, pattern_bytes(kEarlierRun, !GetParam(), 0, 4096));
  EXPECT_THAT(found(), ElementsAre(Brief{kStale, 53'248, 4096, 0}));
}

TEST_P(DamageTest, InsertedStaleBytesAreStale) {
  file_.insert(53'248, stale(kEarlierFile, 0, 4096));
  EXPECT_THAT(found(), ElementsAre(Brief{kStale, 53'248, 4096, 0}));
}

TEST_P(DamageTest, OneWordOfAnotherRunIsNotBelieved) {
  file_.overwrite(53'248, stale(Tag{.run = 9'999, .file = 12'345, .writer = 10}, 0xabc'def8, 8));
  const std::vector<Brief> all = found();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].kind, kForeign);
}

TEST_P(DamageTest, FlippedBitsKeepTheirExactPlace) {
  for (std::uint64_t byte = 0; byte < 8; ++byte) {
    FileUnderTest file = file_;
    file.flip(100'000 + byte, 0x10);  // the first word of a write
    file.flip(165'536 + byte, 0x01);  // the last word of another
    file.flip(0, 0x80), file.flip(byte < 2 ? 0 : byte, byte < 2 ? 0x40 : 0x02);
    EXPECT_EQ(briefs(file.verify()), (std::vector{Brief{kBitflip, 0, byte < 2 ? 1 : byte + 1, 0},
                                                  Brief{kBitflip, 100'000 + byte, 1, 100'000 + byte},
                                                  Brief{kBitflip, 165'536 + byte, 1, 165'536 + byte}}))
        << byte;
  }
}

TEST_P(DamageTest, FlipInTheLastWordAndInShiftedData) {
  file_.insert(131'072, file_.stream(0, 100'000, 31'072));
  file_.flip(231'073, 0x04);
  file_.flip(file_.content.size() - 1, 0x01);
  EXPECT_THAT(found(), ElementsAre(Brief{kDuplicate, 131'072, 31'072, 100'000}, Brief{kBitflip, 231'073, 1, 200'001},
                                   Brief{kBitflip, 327'695, 1, 296'623}));
}

TEST_P(DamageTest, MoreThanThreeWrongBitsAreForeign) {
  file_.flip(200'001, 0x0f);
  EXPECT_THAT(found(), ElementsAre(Brief{kForeign, 200'001, 1, {}}));
}

TEST_P(DamageTest, ZerosOrGarbageBeyondTheEndAreASizeMismatch) {
  file_.insert(file_.content.size(), zeros(5001));
  EXPECT_THAT(found(), ElementsAre(Brief{kSizeMismatch, 296'624, 5001, {}}));
  file_.insert(file_.content.size(), text("garbage", 100));
  const FileReport report = file_.verify();
  ASSERT_THAT(briefs(report), ElementsAre(Brief{kSizeMismatch, 296'624, 5101, {}}));
  EXPECT_EQ(report.findings[0].detail, "the file has 301725 bytes, 5101 beyond the end of what was acknowledged");
}

TEST_P(DamageTest, ZerosThatReplaceTheEndAndGoOnAreBoth) {
  file_.overwrite(294'912, zeros(1712));
  file_.insert(file_.content.size(), zeros(2384));
  EXPECT_THAT(found(), ElementsAre(Brief{kZeroed, 294'912, 1712, {}}, Brief{kSizeMismatch, 296'624, 2384, {}}));
}

TEST_P(DamageTest, StaleBytesBeyondTheEndAreStale) {
  file_.insert(file_.content.size(), stale(kEarlierFile, 296'624, 2384));
  EXPECT_THAT(found(), ElementsAre(Brief{kStale, 296'624, 2384, 296'624}));
}

INSTANTIATE_TEST_SUITE_P(RawAndMixed, DamageTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Incompressible" : "Raw"; });

}  // namespace
}  // namespace writecanary::probe
