// What follows from which evidence.
#include "cli/gate/gate_decision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace writecanary::cli {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::SizeIs;

GateEvidence plenty() {
  GateEvidence evidence;
  evidence.releases = {{"6.12.94-a", 3, 4000}, {"6.12.94-b", 2, 2000}};
  evidence.exposed_hosts = 4;
  evidence.findings = {{"duplicate", 0}, {"torn", 0}, {"missing", 0}, {"nowait_contract", 0}, {"stuck", 0}};
  return evidence;
}

TEST(GateDecisionTest, EnoughExposuresWithoutCorruptionPass) {
  const auto decision = decide(plenty(), {});
  EXPECT_EQ(decision.verdict, Verdict::kClean);
  EXPECT_NEAR(*decision.upper_bound_95, 2.9957 / 6000, 1e-6);
  EXPECT_THAT(decision.reasons, Contains(AllOf(HasSubstr("No corruption in 6,000 exposures on 4 hosts"),
                                               HasSubstr("below 0.0005"), HasSubstr("rule of three"))));
}

TEST(GateDecisionTest, NoExposuresAreNeverAPassWhateverIsAskedFor) {
  auto evidence = plenty();
  for (auto& release : evidence.releases) release.exposures = 0;
  evidence.exposed_hosts = 0;
  GateLimits nothing;
  nothing.min_exposures = 0;
  nothing.min_hosts = 0;
  const auto decision = decide(evidence, nothing);
  EXPECT_EQ(decision.verdict, Verdict::kUnexposed);
  EXPECT_FALSE(decision.upper_bound_95);
  EXPECT_THAT(decision.reasons, Contains(HasSubstr("No exposure on 5 hosts")));
}

TEST(GateDecisionTest, AKernelThatNobodyRanIsNoPass) {
  GateLimits nothing;
  nothing.min_exposures = 0;
  nothing.min_hosts = 0;
  const auto decision = decide({}, nothing);
  EXPECT_EQ(decision.verdict, Verdict::kUnexposed);
  EXPECT_THAT(decision.reasons, Contains(HasSubstr("No host ran such a kernel")));
}

TEST(GateDecisionTest, TheLimitsAreInclusive) {
  GateLimits limits;
  limits.min_exposures = 6000;
  limits.min_hosts = 4;
  EXPECT_EQ(decide(plenty(), limits).verdict, Verdict::kClean);
  limits.min_exposures = 6001;
  limits.min_hosts = 5;
  const auto decision = decide(plenty(), limits);
  EXPECT_EQ(decision.verdict, Verdict::kUnexposed);
  EXPECT_THAT(decision.reasons, SizeIs(2));
}

TEST(GateDecisionTest, TornAppendsAreAViolation) {
  auto evidence = plenty();
  evidence.findings["torn"] = 40;
  GateLimits limits;
  EXPECT_EQ(decide(evidence, limits).verdict, Verdict::kViolation);
  EXPECT_THAT(decide(evidence, limits).reasons, Contains(HasSubstr("40 torn appends")));
  limits.max_torn = 39;
  EXPECT_EQ(decide(evidence, limits).verdict, Verdict::kViolation);
  limits.max_torn = 40;
  EXPECT_EQ(decide(evidence, limits).verdict, Verdict::kClean);
}

TEST(GateDecisionTest, AViolationThatIsNotJudgedIsTold) {
  auto evidence = plenty();
  evidence.findings["torn"] = 40;
  evidence.findings["nowait_contract"] = 2;
  GateLimits limits;
  limits.fail_on = FailOn::kCorrupt;
  const auto passed = decide(evidence, limits);
  EXPECT_EQ(passed.verdict, Verdict::kClean);
  EXPECT_THAT(passed.reasons, Contains(HasSubstr("2 calls with RWF_NOWAIT")));
  EXPECT_THAT(passed.reasons, Contains(HasSubstr("not judged (--fail-on corrupt)")));
  // It does not stand for the evidence that is missing, and corruption is corruption.
  limits.min_hosts = 5;
  EXPECT_EQ(decide(evidence, limits).verdict, Verdict::kUnexposed);
  evidence.findings["stale"] = 1;
  EXPECT_EQ(decide(evidence, limits).verdict, Verdict::kCorrupt);
}

TEST(GateDecisionTest, OneDuplicateRefusesHoweverThinTheEvidence) {
  auto evidence = plenty();
  evidence.releases = {{"6.1.170", 1, 1}};
  evidence.exposed_hosts = 1;
  evidence.corrupt_hosts = 1;
  evidence.findings["duplicate"] = 1;
  const auto decision = decide(evidence, {});
  EXPECT_EQ(decision.verdict, Verdict::kCorrupt);
  EXPECT_NEAR(*decision.upper_bound_95, 4.7439, 1e-4);
  EXPECT_THAT(decision.reasons, Contains(HasSubstr("1 duplicate; at most 0 tolerated")));
  EXPECT_THAT(decision.reasons, Contains("1 host affected."));
}

TEST(GateDecisionTest, CorruptionWithoutAnyExposureIsCorruption) {
  auto evidence = plenty();
  for (auto& release : evidence.releases) release.exposures = 0;
  evidence.findings["duplicate"] = 3;
  EXPECT_EQ(decide(evidence, {}).verdict, Verdict::kCorrupt);
}

TEST(GateDecisionTest, ToleratedDuplicatesCountInTheBound) {
  auto evidence = plenty();
  evidence.findings["duplicate"] = 2;
  GateLimits limits;
  limits.max_duplicates = 2;
  const auto decision = decide(evidence, limits);
  EXPECT_EQ(decision.verdict, Verdict::kClean);
  EXPECT_NEAR(*decision.upper_bound_95, 6.2958 / 6000, 1e-6);
  EXPECT_THAT(decision.reasons, Contains(HasSubstr("2 tolerated findings")));
}

TEST(GateDecisionTest, OtherCorruptionIsNeverTolerated) {
  for (const char* kind : {"missing", "bitflip", "stale", "a kind of the future"}) {
    auto evidence = plenty();
    evidence.findings[kind] = 1;
    GateLimits limits;
    limits.max_duplicates = 1000;
    EXPECT_EQ(decide(evidence, limits).verdict, Verdict::kCorrupt) << kind;
  }
}

TEST(GateDecisionTest, ABrokenContractIsAViolation) {
  auto evidence = plenty();
  evidence.findings["nowait_contract"] = 1;
  EXPECT_EQ(decide(evidence, {}).verdict, Verdict::kViolation);
  evidence.findings["missing"] = 1;
  EXPECT_EQ(decide(evidence, {}).verdict, Verdict::kCorrupt);
}

TEST(GateDecisionTest, BlindHostsAndHangsMakeItInconclusive) {
  auto evidence = plenty();
  evidence.blind_hosts = 1;
  EXPECT_EQ(decide(evidence, {}).verdict, Verdict::kUnexposed);
  EXPECT_THAT(decide(evidence, {}).reasons, Contains(HasSubstr("self-test on 1 host")));
  evidence = plenty();
  evidence.findings["stuck"] = 1;
  EXPECT_EQ(decide(evidence, {}).verdict, Verdict::kUnexposed);
  EXPECT_THAT(decide(evidence, {}).reasons, Contains(HasSubstr("A probe hung")));
}

}  // namespace
}  // namespace writecanary::cli
