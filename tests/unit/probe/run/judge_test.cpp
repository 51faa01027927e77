#include "probe/run/judge.h"

#include <gtest/gtest.h>

namespace writecanary::probe {
namespace {

Evidence exposed(std::uint64_t exposures, std::uint64_t writes) {
  Evidence evidence;
  evidence.counters.writes = writes;
  evidence.counters.exposures = exposures;
  evidence.pressure.backend = "cgroup2";
  return evidence;
}

TEST(Judge, CleanNeedsEnoughExposures) {
  EXPECT_EQ(judge(exposed(500, 500)).verdict, Verdict::kClean);
  EXPECT_EQ(judge(exposed(kExposuresForClean, 10'000)).verdict, Verdict::kClean);
  EXPECT_EQ(judge(exposed(kExposuresForClean - 1, 10'000)).verdict, Verdict::kUnexposed);
  EXPECT_EQ(judge(exposed(0, 0)).verdict, Verdict::kUnexposed);
}

TEST(Judge, FewWritesWereAskedForAndAllWereExposed) {
  Evidence evidence = exposed(5, 5);
  evidence.writes_asked = 5;
  EXPECT_EQ(judge(evidence).verdict, Verdict::kClean);
  evidence.counters.exposures = 4;
  EXPECT_EQ(judge(evidence).verdict, Verdict::kUnexposed);
}

TEST(Judge, WithoutACgroupNothingIsClean) {
  Evidence evidence = exposed(500, 500);
  evidence.pressure = {"none", "", "/sys/fs/cgroup/memory.max: Permission denied"};
  const Judgement judgement = judge(evidence);
  EXPECT_EQ(judgement.verdict, Verdict::kUnexposed);
  EXPECT_NE(judgement.reason.find("/sys/fs/cgroup/memory.max: Permission denied"), std::string::npos);
}

TEST(Judge, ATriggerOfAnotherKindNeedsNoCgroup) {
  Evidence evidence = exposed(500, 0);
  evidence.pressure = {"none", "", "no cgroup here"};
  evidence.pressure_needed = false;
  evidence.exposures_are_writes = false;
  evidence.counters.bytes_verified = 1 << 20;
  evidence.note = "without FICLONE";
  const Judgement judgement = judge(evidence);
  EXPECT_EQ(judgement.verdict, Verdict::kClean);
  EXPECT_EQ(judgement.reason, "500 exposures with 0 writes, 1 MiB verified, no finding; without FICLONE");
  evidence.counters.exposures = 0;
  EXPECT_EQ(judge(evidence).verdict, Verdict::kUnexposed);
}

TEST(Judge, FindingsOutweighEverything) {
  Evidence evidence = exposed(0, 3);
  evidence.tally.add(FindingKind::kDuplicate, 131072);
  evidence.pressure.backend = "none";
  evidence.stopped = true;
  evidence.error = "write to file-1: Input/output error (EIO)";
  const Judgement judgement = judge(evidence);
  EXPECT_EQ(judgement.verdict, Verdict::kCorrupt);
  EXPECT_NE(judgement.reason.find("1 duplicate (131072 bytes)"), std::string::npos);
  EXPECT_NE(judgement.reason.find("Input/output error"), std::string::npos);
}

TEST(Judge, UnsupportedErrorAndStoppedAreNeverAPass) {
  Evidence evidence = exposed(500, 500);
  evidence.stopped = true;
  EXPECT_EQ(judge(evidence).verdict, Verdict::kStopped);
  evidence.error = "no space";
  EXPECT_EQ(judge(evidence).verdict, Verdict::kError);
  evidence.unsupported = "io_uring_setup: Operation not permitted (EPERM)";
  EXPECT_EQ(judge(evidence).verdict, Verdict::kUnsupported);
}

TEST(Judge, AnOomKillProvesNothing) {
  Evidence evidence = exposed(500, 500);
  evidence.counters.oom_kills = 1;
  EXPECT_EQ(judge(evidence).verdict, Verdict::kError);
}

TEST(Judge, SaysWhyExposuresAreMissing) {
  Evidence evidence = exposed(0, 100);
  evidence.exposure_hint = "ext4 punted every write before its first byte";
  EXPECT_NE(judge(evidence).reason.find("0 of 100 writes were exposed, and 20 are needed for a verdict: ext4 punted"),
            std::string::npos);
}

}  // namespace
}  // namespace writecanary::probe
