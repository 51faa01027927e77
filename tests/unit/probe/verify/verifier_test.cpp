// What the verifier adds to the classifier: dumps, bounds, errors, and offsets of any size.
#include "probe/verify/verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "probe/verify/classifier.h"
#include "tests/unit/probe/file_under_test.h"

namespace writecanary::probe {
namespace {

using testing::ElementsAre;
using enum FindingKind;

std::string hex(const Bytes& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += kDigits[std::to_integer<unsigned>(byte) >> 4];
    text += kDigits[std::to_integer<unsigned>(byte) & 15];
  }
  return text;
}

TEST(VerifierTest, DumpsExpectedAndFoundAroundTheFirstWrongByte) {
  FileUnderTest file;
  file.write(100'000);
  file.insert(8'192, file.stream(0, 4'096, 4'096));
  const FileReport report = file.verify();
  ASSERT_EQ(report.findings.size(), 1U);
  const Finding& finding = report.findings[0];
  EXPECT_EQ(finding.file, "f");
  EXPECT_EQ(finding.context_offset_bytes, 8'160U);
  EXPECT_EQ(finding.expected_hex, hex(file.stream(0, 8'160, kHexContextBytes)));
  EXPECT_EQ(finding.found_hex, hex(file.slice(8'160, kHexContextBytes)));
  EXPECT_EQ(finding.expected_hex.substr(0, 64), finding.found_hex.substr(0, 64));
  EXPECT_NE(finding.expected_hex.substr(64, 2), finding.found_hex.substr(64, 2));
}

TEST(VerifierTest, DumpsFollowDataThatIsShifted) {
  FileUnderTest file;
  file.write(100'000);
  file.insert(8'192, file.stream(0, 4'096, 4'096));
  file.flip(50'000, 0x01);
  const Finding finding = file.verify().findings.at(1);
  EXPECT_EQ(finding.kind, kBitflip);
  EXPECT_EQ(finding.expected_hex, hex(file.stream(0, 50'000 - 4'096 - 32, kHexContextBytes)));
}

TEST(VerifierTest, DumpsEndWithFileAndStream) {
  FileUnderTest file;
  file.write(1'000);
  file.insert(1'000, text("!", 8));
  const Finding beyond = file.verify().findings.at(0);
  EXPECT_EQ(beyond.expected_hex, hex(file.stream(0, 968, 32)));
  EXPECT_EQ(beyond.found_hex, hex(file.slice(968, 40)));
  file.content.resize(10);
  const Finding missing = file.verify().findings.at(0);
  EXPECT_EQ(missing.context_offset_bytes, 0U);
  EXPECT_EQ(missing.expected_hex, hex(file.stream(0, 0, kHexContextBytes)));
  EXPECT_EQ(missing.found_hex, hex(file.content));
}

TEST(VerifierTest, PageAlignmentIsThatOfThisMachine) {
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  FileUnderTest file;
  file.write(4 * page + 8);
  file.overwrite(page, zeros(64));
  file.overwrite(2 * page + 512, zeros(64));
  const FileReport report = file.verify();
  ASSERT_EQ(report.findings.size(), 2U);
  EXPECT_TRUE(report.findings[0].page_aligned);
  EXPECT_FALSE(report.findings[1].page_aligned);
}

TEST(VerifierTest, OneVerifierForManyFiles) {
  Verifier verifier;
  FileUnderTest good, bad;
  good.write(600'008), bad.write(600'008);
  bad.erase(300'000, 8);
  const Fd good_fd = temporary_file(good.content), bad_fd = temporary_file(bad.content);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(verifier.verify(good_fd.get(), good.log, 10).tally.total(), 0U);
    EXPECT_EQ(verifier.verify(bad_fd.get(), bad.log, 10).tally.count_of(kMissing), 1U);
  }
}

TEST(VerifierTest, FilesOfShortRecordsOfManyWritersAreClean) {
  FileUnderTest file(8);
  for (std::uint32_t i = 0; i < 20'000; ++i) file.write(16 + 8 * (i % 5), i % 7);
  EXPECT_EQ(file.verify().tally.total(), 0U);
}

TEST(VerifierTest, AHugeSparseFileIsNotReadToItsEnd) {
  FileUnderTest file;
  file.write(1'000);
  const Fd fd = temporary_file(file.content);
  constexpr std::uint64_t kSize = std::uint64_t{1} << 42;
  ASSERT_EQ(ftruncate(fd.get(), static_cast<off_t>(kSize)), 0);
  const FileReport report = Verifier().verify(fd.get(), file.log, 10);
  EXPECT_THAT(briefs(report), ElementsAre(Brief{kSizeMismatch, 1'000, kSize - 1'000, {}}));
  EXPECT_EQ(report.size_bytes, kSize);
  EXPECT_LT(report.bytes_verified, std::uint64_t{128} << 20);
}

TEST(VerifierTest, AFileBeyondMeasureFragmentedStillEnds) {
  FileUnderTest file;
  file.write(4'800'000);
  for (std::uint64_t offset = 0; offset < file.content.size(); offset += 16) file.flip(offset, 0x01);
  const FileReport report = file.verify(5);
  EXPECT_EQ(report.findings.size(), 5U);
  EXPECT_GT(report.tally.count_of(kBitflip), 60'000U);
  EXPECT_EQ(report.tally.count_of(kForeign), 1U);
}

TEST(VerifierTest, ReadErrorsAreNotFindings) {
  const FileUnderTest file;
  for (const Access access : {Access::kRead, Access::kMapped}) {
    EXPECT_THROW(Verifier().verify(-1, file.log, 10, access), SystemError);
  }
}

TEST(VerifierDeathTest, ALogWithHolesIsABug) {
  FileUnderTest file;
  file.log_write(1'000);
  file.log_write(1'000);
  file.log.writers[0][1].stream_offset_bytes = 1'008;
  EXPECT_DEATH(file.verify(), "check failed");
}

// Offsets that no test file reaches, straight into the classifier.
TEST(ClassifierTest, OffsetsBeyondFourGigabytes) {
  constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
  FileUnderTest file;
  for (int i = 0; i < 10; ++i) file.log_write(kGiB + 8);
  const LogIndex index(file.log);
  const Tag tag = file.log.tag;
  const std::uint64_t nine = 9 * (kGiB + 8), ten = 10 * (kGiB + 8);
  const std::vector<Segment> segments = {
      {0, nine + 4'096, Content::kOwn, tag, 0},
      {nine + 4'096, ten - nine - 8'192, Content::kOwn, tag, nine},
      {ten - 4'096, 4'096, Content::kZeros, {}, 0},
  };
  const auto faults = classify(segments, index);
  ASSERT_EQ(faults.size(), 3U);
  EXPECT_EQ(faults[0].kind, kDuplicate);
  EXPECT_EQ(faults[0].file_offset, nine + 4'096);
  EXPECT_EQ(faults[0].length, 4'096U);
  EXPECT_EQ(faults[0].source, nine);
  EXPECT_EQ(faults[0].write->index, 9U);
  EXPECT_EQ(faults[1].kind, kZeroed);
  EXPECT_EQ(faults[1].file_offset, ten - 4'096);
  EXPECT_EQ(faults[1].expected->stream_offset, ten - 8'192);
  EXPECT_EQ(faults[2].kind, kMissing);
  EXPECT_EQ(faults[2].file_offset, ten);
  EXPECT_EQ(faults[2].length, 4'096U);
}

}  // namespace
}  // namespace writecanary::probe
