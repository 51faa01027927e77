// One writer: duplicates, missing and misplaced bytes, and what is not acknowledged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/probe/file_under_test.h"

namespace writecanary::probe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using enum FindingKind;

class StreamTest : public testing::TestWithParam<bool> {
 protected:
  StreamTest() : file_(1, GetParam()) {
    for (const std::uint64_t length : {100'000U, 65'544U, 131'080U, 70'008U}) file_.write(length);
  }

  std::vector<Brief> found() const { return briefs(file_.verify()); }

  FileUnderTest file_;
};

TEST_P(StreamTest, UndamagedIsClean) {
  const FileReport report = file_.verify();
  EXPECT_THAT(briefs(report), IsEmpty());
  EXPECT_EQ(report.tally.total(), 0U);
  EXPECT_EQ(report.size_bytes, 366'632U);
  EXPECT_EQ(report.bytes_verified, 366'632U);
}

TEST_P(StreamTest, HeadOfAWriteTwiceIsOneDuplicate) {
  // What the affected kernels do: the inline part [100000, 135168), then the whole write again.
  file_.insert(135'168, file_.stream(0, 100'000, 35'168));
  const FileReport report = file_.verify();
  ASSERT_THAT(briefs(report), ElementsAre(Brief{kDuplicate, 135'168, 35'168, 100'000}));
  const Finding& finding = report.findings[0];
  EXPECT_TRUE(finding.page_aligned);
  ASSERT_TRUE(finding.write);
  EXPECT_EQ(finding.write->index, 1U);
  EXPECT_EQ(finding.detail, "35168 bytes that belong at offset 100000 stand here a second time");
  EXPECT_EQ(report.tally.count_of(kDuplicate), 1U);
  EXPECT_EQ(report.tally.bytes_of(kDuplicate), 35'168U);
}

TEST_P(StreamTest, DuplicateInEveryWriteIsReportedOncePerWrite) {
  FileUnderTest file(1, GetParam());
  std::vector<Brief> expected;
  for (std::uint64_t i = 0; i < 50; ++i) {
    const WriteRef write = file.log_write(20'008 + 8 * i);
    const std::uint64_t head = 4096 - file.content.size() % 4096 + 4096 * (i % 3);
    file.put(0, write.stream_offset_bytes, head);
    expected.push_back({kDuplicate, file.content.size(), head, write.stream_offset_bytes});
    file.put(0, write.stream_offset_bytes, write.length_bytes);
  }
  const FileReport report = file.verify(7);
  EXPECT_EQ(report.tally.count_of(kDuplicate), 50U);
  EXPECT_EQ(report.tally.total(), 50U);
  EXPECT_EQ(briefs(report), std::vector(expected.begin(), expected.begin() + 7));
  EXPECT_EQ(briefs(file.verify()), expected);
}

TEST_P(StreamTest, WholeWriteTwiceAndDuplicateAtTheVeryEnd) {
  file_.insert(165'544, file_.stream(0, 100'000, 65'544));
  file_.put(0, 366'632 - 4096, 4096);
  EXPECT_THAT(found(), ElementsAre(Brief{kDuplicate, 165'544, 65'544, 100'000},
                                   Brief{kDuplicate, 366'632 + 65'544, 4096, 366'632 - 4096}));
}

TEST_P(StreamTest, LateCopyOfAnEarlierWriteIsADuplicate) {
  file_.insert(296'624, file_.stream(0, 0, 100'000));
  EXPECT_THAT(found(), ElementsAre(Brief{kDuplicate, 296'624, 100'000, 0}));
}

TEST_P(StreamTest, DroppedBytesAreMissing) {
  file_.erase(139'264, 8192);
  const FileReport report = file_.verify();
  ASSERT_THAT(briefs(report), ElementsAre(Brief{kMissing, 139'264, 8192, 139'264}));
  EXPECT_EQ(report.findings[0].write->index, 1U);
}

TEST_P(StreamTest, DroppedWholeWritesAreOneGap) {
  file_.erase(100'000, 65'544 + 131'080);
  EXPECT_THAT(found(), ElementsAre(Brief{kMissing, 100'000, 196'624, 100'000}));
}

TEST_P(StreamTest, FirstBytesMissing) {
  file_.erase(0, 4096);
  EXPECT_THAT(found(), ElementsAre(Brief{kMissing, 0, 4096, 0}));
}

TEST_P(StreamTest, TruncatedFileMissesItsEnd) {
  file_.content.resize(300'003);
  EXPECT_THAT(found(), ElementsAre(Brief{kMissing, 300'003, 66'629, 300'003}));
  file_.content.clear();
  EXPECT_THAT(found(), ElementsAre(Brief{kMissing, 0, 366'632, 0}));
}

TEST_P(StreamTest, UnalignedDropShiftsTheRest) {
  for (std::uint64_t count = 1; count <= 17; ++count) {
    FileUnderTest file = file_;
    const std::uint64_t offset = 123'456 + 8 * count;
    file.erase(offset + 5, count);
    // Which of some equal bytes is gone cannot be told: the drop is seen at the first byte that differs.
    std::uint64_t seen = offset + 5;
    while (file.content[seen] == file_.content[seen]) ++seen;
    EXPECT_EQ(briefs(file.verify()), (std::vector{Brief{kMissing, seen, count, seen}})) << count;
  }
}

TEST_P(StreamTest, UnalignedDuplicate) {
  for (std::uint64_t count : {17U, 100U, 4097U}) {
    FileUnderTest file = file_;
    file.insert(200'003, file_.slice(200'003 - count, count));
    std::uint64_t seen = 200'003;
    while (file.content[seen] == file_.content[seen]) ++seen;
    EXPECT_EQ(briefs(file.verify()), (std::vector{Brief{kDuplicate, seen, count, seen - count}})) << count;
  }
}

TEST_P(StreamTest, SwappedNeighboursAreOneMisplacedPiece) {
  file_.swap_ranges(8192, 12'288, 4096);
  EXPECT_THAT(found(), ElementsAre(Brief{kMisplaced, 12'288, 4096, 8192}));
}

TEST_P(StreamTest, SwappedAcrossWritesAreTwoMisplacedPieces) {
  file_.swap_ranges(8192, 200'704, 4096);
  EXPECT_THAT(found(), ElementsAre(Brief{kMisplaced, 8192, 4096, 200'704}, Brief{kMisplaced, 200'704, 4096, 8192}));
}

TEST_P(StreamTest, AWriteThatLandsLateIsMisplacedNotMissing) {
  file_.erase(100'000, 65'544);
  file_.put(0, 100'000, 65'544);
  EXPECT_THAT(found(), ElementsAre(Brief{kMisplaced, 301'088, 65'544, 100'000}));
}

TEST_P(StreamTest, PartOfAGapThatStaysEmptyIsMissing) {
  file_.erase(100'000, 65'544);
  file_.put(0, 116'384, 4096);
  EXPECT_THAT(found(), ElementsAre(Brief{kMissing, 100'000, 16'384, 100'000}, Brief{kMissing, 100'000, 45'064, 120'480},
                                   Brief{kMisplaced, 301'088, 4096, 116'384}));
}

TEST_P(StreamTest, CopyOfLaterBytesInPlaceIsADuplicateAndHidesWhatItReplaced) {
  file_.overwrite(8192, file_.stream(0, 200'704, 4096));
  EXPECT_THAT(found(), ElementsAre(Brief{kDuplicate, 8192, 4096, 200'704}, Brief{kMissing, 8192, 4096, 8192}));
}

TEST_P(StreamTest, CopyOfEarlierBytesInPlaceIsADuplicateAndHidesWhatItReplaced) {
  file_.overwrite(200'704, file_.stream(0, 8192, 4096));
  EXPECT_THAT(found(), ElementsAre(Brief{kDuplicate, 200'704, 4096, 8192}, Brief{kMissing, 200'704, 4096, 200'704}));
}

TEST_P(StreamTest, ShortResultsThatWereContinuedAreClean) {
  FileUnderTest file(1, GetParam());
  file.write(20'008);
  file.log_write(100'008, 0, 36'008);
  file.log_write(64'000, 0, 20'001);
  file.log_write(43'999);
  file.put(0, 20'008, 100'008);
  EXPECT_THAT(briefs(file.verify()), IsEmpty());
}

// A writer that is alone goes on behind what it was told, and has the rest twice.
TEST_P(StreamTest, RestOfAShortWriteIsADuplicateForWhoeverGoesOn) {
  FileUnderTest file(1, GetParam());
  file.write(20'008);
  file.log_write(100'008, 0, 36'008);  // 64000 bytes not acknowledged, 8192 of them in the file
  file.log_write(64'000);
  file.put(0, 20'008, 36'008 + 8192);
  file.put(0, 56'016, 64'000);
  EXPECT_THAT(briefs(file.verify()), ElementsAre(Brief{kDuplicate, 20'008 + 36'008 + 8192, 8192, 56'016}));
}

TEST_P(StreamTest, WhatIsLeftByAWriteThatIsToBeTriedAgainIsADuplicate) {
  FileUnderTest file(1, GetParam());
  file.write(20'008);
  file.log_write(64'000, 0, -11);  // EAGAIN
  file.log_write(64'000);
  file.put(0, 20'008, 16'384);
  file.put(0, 20'008, 64'000);
  EXPECT_THAT(briefs(file.verify()), ElementsAre(Brief{kDuplicate, 20'008 + 16'384, 16'384, 20'008}));
}

TEST_P(StreamTest, RestOfAFailedWriteIsNotJudged) {
  FileUnderTest file(1, GetParam());
  file.write(20'008);
  file.log_write(64'000, 0, -5);  // 8192 bytes of it are in the file
  file.log_write(64'000);
  file.put(0, 20'008, 8192);
  file.put(0, 20'008, 64'000);
  EXPECT_THAT(briefs(file.verify()), IsEmpty());
  // What stands there twice beyond that one rest is a finding again.
  file.insert(file.content.size() - 64'000 + 4096, file.stream(0, 20'008, 4096));
  EXPECT_THAT(briefs(file.verify()), ElementsAre(Brief{kDuplicate, 20'008 + 8192 + 4096, 4096, 20'008}));
}

TEST_P(StreamTest, EachFailedAttemptMayLeaveItsRest) {
  FileUnderTest file(1, GetParam());
  file.write(20'008);
  file.log_write(64'000, 0, -5);
  file.log_write(64'000, 0, -12);
  file.log_write(64'000);
  file.put(0, 20'008, 4096);
  file.put(0, 20'008, 16'384);
  file.put(0, 20'008, 64'000);
  EXPECT_THAT(briefs(file.verify()), IsEmpty());
  file.insert(20'008, file.stream(0, 20'008, 4096));
  EXPECT_EQ(file.verify().tally.count_of(kDuplicate), 1U);
  EXPECT_EQ(file.verify().tally.total(), 1U);
}

TEST_P(StreamTest, RestOfTheLastWriteIsNotJudged) {
  for (const std::uint64_t left : {0U, 1U, 5000U, 64'000U}) {
    FileUnderTest file(1, GetParam());
    file.write(20'008);
    file.log_write(64'000, 0, -5);
    file.put(0, 20'008, left);
    EXPECT_THAT(briefs(file.verify()), IsEmpty()) << left;
  }
}

INSTANTIATE_TEST_SUITE_P(RawAndMixed, StreamTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Incompressible" : "Raw"; });

}  // namespace
}  // namespace writecanary::probe
