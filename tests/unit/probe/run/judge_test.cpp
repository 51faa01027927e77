#include "probe/run/judge.h"

#include <gtest/gtest.h>

namespace writecanary::probe {
namespace {

RunFacts exposed(std::uint64_t exposures, std::uint64_t writes) {
  RunFacts facts;
  facts.counters.writes = writes;
  facts.counters.exposures = exposures;
  facts.pressure.backend = "cgroup2";
  return facts;
}

TEST(Judge, CleanNeedsEnoughExposures) {
  EXPECT_EQ(judge(exposed(500, 500)).verdict, Verdict::kClean);
  EXPECT_EQ(judge(exposed(kExposuresForClean, 10'000)).verdict, Verdict::kClean);
  EXPECT_EQ(judge(exposed(kExposuresForClean - 1, 10'000)).verdict, Verdict::kUnexposed);
  EXPECT_EQ(judge(exposed(0, 0)).verdict, Verdict::kUnexposed);
}

TEST(Judge, FewWritesWereAskedForAndAllWereExposed) {
  RunFacts facts = exposed(5, 5);
  facts.writes_asked = 5;
  EXPECT_EQ(judge(facts).verdict, Verdict::kClean);
  facts.counters.exposures = 4;
  EXPECT_EQ(judge(facts).verdict, Verdict::kUnexposed);
}

TEST(Judge, WithoutACgroupNothingIsClean) {
  RunFacts facts = exposed(500, 500);
  facts.pressure = {"none", "", "/sys/fs/cgroup/memory.max: Permission denied"};
  const Judgement judgement = judge(facts);
  EXPECT_EQ(judgement.verdict, Verdict::kUnexposed);
  EXPECT_NE(judgement.reason.find("/sys/fs/cgroup/memory.max: Permission denied"), std::string::npos);
}

TEST(Judge, ATriggerOfAnotherKindNeedsNoCgroup) {
  RunFacts facts = exposed(500, 0);
  facts.pressure = {"none", "", "no cgroup here"};
  facts.pressure_needed = false;
  facts.exposures_are_writes = false;
  facts.counters.bytes_verified = 1 << 20;
  facts.note = "without FICLONE";
  const Judgement judgement = judge(facts);
  EXPECT_EQ(judgement.verdict, Verdict::kClean);
  EXPECT_EQ(judgement.reason, "500 exposures with 0 writes, 1 MiB verified, no finding; without FICLONE");
  facts.counters.exposures = 0;
  EXPECT_EQ(judge(facts).verdict, Verdict::kUnexposed);
}

TEST(Judge, FindingsOutweighEverything) {
  RunFacts facts = exposed(0, 3);
  facts.tally.add(FindingKind::kDuplicate, 131072);
  facts.pressure.backend = "none";
  facts.stopped = true;
  facts.error = "write to file-1: Input/output error (EIO)";
  const Judgement judgement = judge(facts);
  EXPECT_EQ(judgement.verdict, Verdict::kCorrupt);
  EXPECT_NE(judgement.reason.find("1 duplicate (131072 bytes)"), std::string::npos);
  EXPECT_NE(judgement.reason.find("Input/output error"), std::string::npos);
}

TEST(Judge, TheWorstClassOfTheFindingsIsTheVerdict) {
  RunFacts facts = exposed(500, 500);
  facts.tally.add(FindingKind::kTorn, 131072);
  EXPECT_EQ(judge(facts).verdict, Verdict::kViolation);
  facts.tally.add(FindingKind::kNowaitContract, 4096);
  EXPECT_EQ(judge(facts).verdict, Verdict::kViolation);
  facts.tally.add(FindingKind::kBitflip, 1);
  EXPECT_EQ(judge(facts).verdict, Verdict::kCorrupt);
}

TEST(Judge, UnsupportedErrorAndStoppedAreNeverAPass) {
  RunFacts facts = exposed(500, 500);
  facts.stopped = true;
  EXPECT_EQ(judge(facts).verdict, Verdict::kStopped);
  facts.error = "no space";
  EXPECT_EQ(judge(facts).verdict, Verdict::kError);
  facts.unsupported = "io_uring_setup: Operation not permitted (EPERM)";
  EXPECT_EQ(judge(facts).verdict, Verdict::kUnsupported);
}

TEST(Judge, AnOomKillProvesNothing) {
  RunFacts facts = exposed(500, 500);
  facts.counters.oom_kills = 1;
  EXPECT_EQ(judge(facts).verdict, Verdict::kError);
}

TEST(Judge, SaysWhyExposuresAreMissing) {
  RunFacts facts = exposed(0, 100);
  facts.exposure_hint = "ext4 punted every write before its first byte";
  EXPECT_NE(judge(facts).reason.find("0 of 100 writes were exposed, and 20 are needed for a verdict: ext4 punted"),
            std::string::npos);
}

}  // namespace
}  // namespace writecanary::probe
