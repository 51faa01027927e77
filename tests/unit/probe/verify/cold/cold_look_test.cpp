#include "probe/verify/cold/cold_look.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include "core/base/error.h"
#include "tests/unit/probe/file_under_test.h"

namespace writecanary::probe {
namespace {

Finding at(std::uint64_t offset) {
  Finding finding;
  finding.kind = FindingKind::kZeroed;
  finding.offset_bytes = offset;
  finding.length_bytes = 8;
  return finding;
}

FileReport report_of(std::initializer_list<std::uint64_t> offsets) {
  FileReport report;
  for (const std::uint64_t offset : offsets) {
    report.findings.push_back(at(offset));
    report.tally.add(FindingKind::kZeroed, 8);
  }
  return report;
}

void expect_views(const Finding& finding, Look hot, Look cold, Look direct) {
  EXPECT_EQ(finding.views.hot, hot) << finding.offset_bytes;
  EXPECT_EQ(finding.views.cold, cold) << finding.offset_bytes;
  EXPECT_EQ(finding.views.direct, direct) << finding.offset_bytes;
}

TEST(MergeViews, EachFindingOnceWithWhatEachViewSaid) {
  ColdLook cold;
  cold.cold = report_of({100, 300});
  cold.direct = report_of({300, 400});
  const FileReport merged = merge_views(report_of({100, 200}), cold);
  ASSERT_EQ(merged.findings.size(), 4U);
  EXPECT_EQ(merged.tally.total(), 4U);
  expect_views(merged.findings[0], Look::kWrong, Look::kWrong, Look::kRight);
  expect_views(merged.findings[1], Look::kWrong, Look::kRight, Look::kRight);
  expect_views(merged.findings[2], Look::kRight, Look::kWrong, Look::kWrong);
  EXPECT_EQ(merged.findings[2].offset_bytes, 300U);
  expect_views(merged.findings[3], Look::kRight, Look::kRight, Look::kWrong);
}

TEST(MergeViews, WithoutAColdViewTheHotOneStandsAlone) {
  const FileReport merged = merge_views(report_of({100}), {});
  ASSERT_EQ(merged.findings.size(), 1U);
  expect_views(merged.findings[0], Look::kWrong, Look::kNotLooked, Look::kNotLooked);
}

TEST(MergeViews, NothingIsAddedToAListThatWasCutOff) {
  FileReport hot = report_of({100});
  hot.tally.add(FindingKind::kZeroed, 8);  // a second one, which the list has no room for
  ColdLook cold;
  cold.cold = report_of({100, 200});
  EXPECT_EQ(merge_views(hot, cold).tally.total(), 2U);
}

// The temporary directory must be on a disk; on tmpfs there is nothing to evict to.
TEST(LookCold, ReadsTheFileFromTheDevice) {
  FileUnderTest file;
  file.write(100'000);
  file.content[5'000] ^= std::byte{1};
  const Fd fd = temporary_file(file.content);
  Verifier verifier;
  const ColdLook look = look_cold(fd.get(), file.log, verifier);
  if (!look.cold) GTEST_SKIP() << look.why_not;
  EXPECT_EQ(look.cold->tally.count_of(FindingKind::kBitflip), 1U);
  if (look.direct) {
    EXPECT_EQ(look.direct->tally.count_of(FindingKind::kBitflip), 1U);
  }
}

TEST(LookCold, PagesThatStayAreNoColdView) {
  FileUnderTest file;
  file.write(100'000);
  const Fd fd(memfd_create("stays", MFD_CLOEXEC));
  write_all(fd.get(), {reinterpret_cast<const char*>(file.content.data()), file.content.size()});
  Verifier verifier;
  const ColdLook look = look_cold(fd.get(), file.log, verifier);
  EXPECT_FALSE(look.cold);
  EXPECT_THAT(look.why_not, testing::HasSubstr("25 of 25 pages of"));
}

}  // namespace
}  // namespace writecanary::probe
