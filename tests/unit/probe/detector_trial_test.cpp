// The self-test itself: it passes with the real verifier, and tells a blind judge and one that sees ghosts.
#include "probe/detector_trial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <set>

#include "probe/verify/nowait_check.h"

namespace writecanary::probe {
namespace {

using testing::HasSubstr;

TEST(DetectorTrial, EveryDetectorOfTheVerifierSees) {
  const SelfTest test = try_detectors();
  std::set<FindingKind> kinds;
  for (const DetectorTest& detector : test.detectors) {
    EXPECT_TRUE(detector.ok()) << to_string(detector.kind) << ": " << detector.detail;
    kinds.insert(detector.kind);
  }
  EXPECT_TRUE(test.ok());
  // A process that hangs is seen by whoever waits for it, not by a detector of the probe.
  EXPECT_EQ(kinds.size(), kFindingKindCount - 1);
  EXPECT_FALSE(kinds.contains(FindingKind::kStuck));
}

TEST(DetectorTrial, TellsABlindJudge) {
  const SelfTest test = try_detectors([](int, const FileLog&) { return FileReport{}; });
  EXPECT_FALSE(test.ok());
  const DetectorTest& first = test.detectors.front();
  EXPECT_FALSE(first.detected);
  EXPECT_TRUE(first.silent_on_clean);
  EXPECT_THAT(first.detail, HasSubstr("found nothing; the damage is duplicate at 135168, 35168 bytes"));
}

TEST(DetectorTrial, TellsAJudgeThatSeesGhosts) {
  const SelfTest test = try_detectors([](int fd, const FileLog& log) {
    FileReport report = Verifier().verify(fd, log, 10);
    report.tally.add(FindingKind::kForeign, 1);
    return report;
  });
  EXPECT_FALSE(test.ok());
  EXPECT_FALSE(test.detectors.front().silent_on_clean);
  EXPECT_FALSE(test.detectors.front().detected);
}

TEST(DetectorTrial, TellsAJudgeThatIsAByteOff) {
  const SelfTest test = try_detectors([](int fd, const FileLog& log) {
    FileReport report = Verifier().verify(fd, log, 10);
    for (Finding& finding : report.findings) ++finding.offset_bytes;
    return report;
  });
  EXPECT_FALSE(test.ok());
  EXPECT_TRUE(test.detectors.front().detected);
  EXPECT_FALSE(test.detectors.front().exact);
}

TEST(NowaitCheckTest, TheFileMustGrowByWhatTheCallReturned) {
  const auto check = [](std::int64_t result, std::uint64_t grown) {
    return check_nowait({.length_bytes = 65'536, .result = result}, 4'096, 4'096 + grown, 4'096);
  };
  EXPECT_FALSE(check(65'536, 65'536));
  EXPECT_FALSE(check(8'192, 8'192)) << "an honest short count";
  EXPECT_FALSE(check(-EAGAIN, 0));

  const auto silent = check(-EAGAIN, 8'192);
  ASSERT_TRUE(silent);
  EXPECT_EQ(silent->kind, FindingKind::kNowaitContract);
  EXPECT_EQ(silent->offset_bytes, 4'096U);
  EXPECT_EQ(silent->length_bytes, 8'192U);
  EXPECT_TRUE(silent->page_aligned);
  EXPECT_THAT(silent->detail,
              HasSubstr("returned Resource temporarily unavailable (EAGAIN), but the file grew by 8192"));

  const auto less = check(4'096, 12'288);
  ASSERT_TRUE(less);
  EXPECT_EQ(less->offset_bytes, 8'192U);
  EXPECT_EQ(less->length_bytes, 8'192U);
  const auto more = check(8'192, 4'096);
  ASSERT_TRUE(more);
  EXPECT_EQ(more->offset_bytes, 8'192U);
  EXPECT_EQ(more->length_bytes, 4'096U);
}

}  // namespace
}  // namespace writecanary::probe
