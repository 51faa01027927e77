// Several writers on one file: torn writes, and everything else in their midst.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/probe/file_under_test.h"

namespace writecanary::probe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using enum FindingKind;

class WritersTest : public testing::TestWithParam<bool> {
 protected:
  WritersTest() : file_(3, GetParam()) {
    file_.write(20'008, 0);
    file_.write(9'000, 1);
    file_.write(30'016, 2);
    file_.write(24, 1);
    file_.write(8, 0);
  }

  std::vector<Brief> found() const { return briefs(file_.verify()); }

  FileUnderTest file_;
};

TEST_P(WritersTest, WholeWritesInAnyOrderAreClean) {
  EXPECT_THAT(found(), IsEmpty());
  FileUnderTest mirrored(3, GetParam());
  mirrored.log = file_.log;
  for (const std::uint32_t writer : {2U, 1U, 0U}) {
    for (const WriteRef& write : file_.log.writers[writer]) {
      mirrored.put(writer, write.stream_offset_bytes, write.length_bytes);
    }
  }
  EXPECT_THAT(briefs(mirrored.verify()), IsEmpty());
}

TEST_P(WritersTest, RecordInsideAnotherTearsIt) {
  const std::uint64_t base = file_.content.size();
  const WriteRef big = file_.log_write(40'000, 0);
  const WriteRef small = file_.log_write(4'104, 1);
  file_.put(0, big.stream_offset_bytes, 12'000);
  file_.put(1, small.stream_offset_bytes, 4'104);
  file_.put(0, big.stream_offset_bytes + 12'000, 28'000);
  const FileReport report = file_.verify();
  ASSERT_THAT(briefs(report), ElementsAre(Brief{kTorn, base + 12'000, 4'104, big.stream_offset_bytes + 12'000}));
  const Finding& finding = report.findings[0];
  EXPECT_EQ(finding.write->index, 2U);
  EXPECT_EQ(finding.write->writer, 0U);
  EXPECT_EQ(finding.intruder->index, 2U);
  EXPECT_EQ(finding.intruder->writer, 1U);
  EXPECT_EQ(finding.detail,
            "write 2 of writer 0 (40000 bytes) is split at offset 32016 of writer 0: 4104 bytes of other writers stand "
            "inside, beginning with write 2 of writer 1 (4104 bytes)");
}

TEST_P(WritersTest, SplitAfterTheFirstOrBeforeTheLastWord) {
  for (const std::uint64_t head : {8U, 39'992U}) {
    FileUnderTest file = file_;
    const std::uint64_t base = file.content.size();
    const WriteRef big = file.log_write(40'000, 0);
    const WriteRef small = file.log_write(4'104, 1);
    file.put(0, big.stream_offset_bytes, head);
    file.put(1, small.stream_offset_bytes, 4'104);
    file.put(0, big.stream_offset_bytes + head, 40'000 - head);
    EXPECT_EQ(briefs(file.verify()), (std::vector{Brief{kTorn, base + head, 4'104, big.stream_offset_bytes + head}}));
  }
}

TEST_P(WritersTest, InterposedRecordOnAnAffectedKernelIsTornAndDuplicate) {
  const std::uint64_t base = file_.content.size();
  const WriteRef big = file_.log_write(40'000, 0);
  const WriteRef small = file_.log_write(4'104, 1);
  file_.put(0, big.stream_offset_bytes, 12'000);
  file_.put(1, small.stream_offset_bytes, 4'104);
  file_.put(0, big.stream_offset_bytes, 40'000);
  EXPECT_THAT(found(), ElementsAre(Brief{kTorn, base + 12'000, 4'104, big.stream_offset_bytes + 12'000},
                                   Brief{kDuplicate, base + 16'104, 12'000, big.stream_offset_bytes}));
}

TEST_P(WritersTest, OwnDuplicateInsideAWriteDoesNotTearIt) {
  const std::uint64_t base = file_.content.size();
  const WriteRef big = file_.log_write(40'000, 0);
  file_.put(0, big.stream_offset_bytes, 12'000);
  file_.put(0, big.stream_offset_bytes, 40'000);
  EXPECT_THAT(found(), ElementsAre(Brief{kDuplicate, base + 12'000, 12'000, big.stream_offset_bytes}));
}

TEST_P(WritersTest, TwoRecordsInTwoPlacesAreOneTornWrite) {
  const std::uint64_t base = file_.content.size();
  const WriteRef big = file_.log_write(40'000, 2);
  file_.put(2, big.stream_offset_bytes, 10'000);
  file_.write(4'104, 1);
  file_.put(2, big.stream_offset_bytes + 10'000, 10'000);
  file_.write(104, 0);
  file_.put(2, big.stream_offset_bytes + 20'000, 20'000);
  EXPECT_THAT(found(), ElementsAre(Brief{kTorn, base + 10'000, 4'208, big.stream_offset_bytes + 10'000}));
}

TEST_P(WritersTest, InterleavedWritesAreBothTorn) {
  const std::uint64_t base = file_.content.size();
  const WriteRef a = file_.log_write(8'000, 0);
  const WriteRef b = file_.log_write(6'000, 1);
  file_.put(0, a.stream_offset_bytes, 5'000);
  file_.put(1, b.stream_offset_bytes, 2'000);
  file_.put(0, a.stream_offset_bytes + 5'000, 3'000);
  file_.put(1, b.stream_offset_bytes + 2'000, 4'000);
  EXPECT_THAT(found(), ElementsAre(Brief{kTorn, base + 5'000, 2'000, a.stream_offset_bytes + 5'000},
                                   Brief{kTorn, base + 7'000, 3'000, b.stream_offset_bytes + 2'000}));
}

TEST_P(WritersTest, ManyTornAndDuplicatedWritesAreEachReported) {
  constexpr int kRounds = 40;
  for (int i = 0; i < kRounds; ++i) {
    const WriteRef big = file_.log_write(40'000, 0);
    file_.put(0, big.stream_offset_bytes, 12'000);
    file_.write(1'008, 1 + i % 2);
    file_.put(0, big.stream_offset_bytes, 40'000);
  }
  const FileReport report = file_.verify(0);
  EXPECT_EQ(report.tally.count_of(kTorn), kRounds);
  EXPECT_EQ(report.tally.bytes_of(kTorn), kRounds * 1'008U);
  EXPECT_EQ(report.tally.count_of(kDuplicate), kRounds);
  EXPECT_EQ(report.tally.total(), 2U * kRounds);
  EXPECT_THAT(report.findings, IsEmpty());
}

TEST_P(WritersTest, LostRecordIsMissingWhereItsPredecessorEnded) {
  file_.erase(20'008, 9'000);
  EXPECT_THAT(found(), ElementsAre(Brief{kMissing, 0, 9'000, 0}));
  FileUnderTest file(2, GetParam());
  file.write(1'000, 0), file.write(2'000, 1), file.write(3'000, 0), file.write(4'000, 1), file.write(5'000, 1);
  file.erase(6'000, 4'000);
  EXPECT_THAT(briefs(file.verify()), ElementsAre(Brief{kMissing, 3'000, 4'000, 2'000}));
}

TEST_P(WritersTest, RecordsOfOneWriterInTheWrongOrderAreMisplaced) {
  FileUnderTest file(2, GetParam());
  file.write(1'000, 0), file.write(2'000, 1);
  file.log_write(3'000, 0), file.log_write(3'008, 0);
  file.put(0, 4'000, 3'008), file.put(0, 1'000, 3'000);
  EXPECT_THAT(briefs(file.verify()), ElementsAre(Brief{kMisplaced, 6'008, 3'000, 1'000}));
}

TEST_P(WritersTest, ZerosAcrossTwoWritersReplaceBoth) {
  file_.overwrite(28'672, zeros(1024));  // the end of writer 1's record and the beginning of writer 2's
  EXPECT_THAT(found(), ElementsAre(Brief{kZeroed, 28'672, 1024, {}}));
}

TEST_P(WritersTest, ZerosInOneRecordDoNotExcuseALossInAnother) {
  file_.overwrite(24'576, zeros(512));  // inside writer 1's first record
  file_.erase(20'008 + 9'000, 30'016);  // writer 2's only record
  EXPECT_THAT(found(), ElementsAre(Brief{kMissing, 0, 30'016, 0}, Brief{kZeroed, 24'576, 512, {}}));
}

TEST_P(WritersTest, FlipsAtTheEdgesOfRecords) {
  for (const std::uint64_t offset : {0U, 20'000U, 20'008U, 29'000U, 29'008U, 59'016U}) {
    FileUnderTest file = file_;
    file.flip(offset + 3, 0x02);
    const std::vector<Brief> all = briefs(file.verify());
    ASSERT_EQ(all.size(), 1U) << offset;
    EXPECT_EQ(all[0].kind, kBitflip) << offset;
    EXPECT_EQ(all[0].offset, offset + 3);
    EXPECT_EQ(all[0].length, 1U);
  }
}

TEST_P(WritersTest, RestOfAShortWriteDoesNotTearTheNext) {
  const WriteRef cut = file_.log_write(40'000, 0, 10'000);
  const WriteRef next = file_.log_write(30'000, 0);
  file_.put(0, cut.stream_offset_bytes, 10'000 + 4'000);
  file_.write(1'008, 1);
  file_.put(0, next.stream_offset_bytes, 30'000);
  EXPECT_THAT(found(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(RawAndMixed, WritersTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Incompressible" : "Raw"; });

}  // namespace
}  // namespace writecanary::probe
