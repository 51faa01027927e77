// What follows from which evidence.
#include "cli/gate/gate_decision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/run/finding.h"

namespace writecanary::cli {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

GateDetector detector(const std::string& profile, std::uint64_t exposures, std::uint64_t hosts) {
  GateDetector seen;
  seen.profile = profile;
  seen.exposures = exposures;
  seen.exposed_hosts = hosts;
  for (const FindingKind kind : kAllFindingKinds) seen.findings[std::string(to_string(kind))] = 0;
  return seen;
}

// One detector; what it finds is asked for with finding().
GateCase plenty() {
  GateCase given;
  given.evidence.releases = {{"6.12.94-a", 3, 4000}, {"6.12.94-b", 2, 2000}};
  given.evidence.exposed_hosts = 4;
  given.evidence.detectors = {detector("append", 6000, 4)};
  given.exposed_anywhere = {"append"};
  return given;
}

std::uint64_t& finding(GateCase& given, const std::string& kind) { return given.evidence.detectors[0].findings[kind]; }

void expose(GateCase& given, std::uint64_t exposures, std::uint64_t hosts) {
  given.evidence.detectors[0].exposures = exposures;
  given.evidence.detectors[0].exposed_hosts = hosts;
}

// As above, and what the release before it had shown.
GateCase compared() {
  GateCase given = plenty();
  given.before = GateEvidence{};
  given.before->releases = {{"6.1.170", 5, 8000}};
  given.before->detectors = {detector("append", 8000, 5)};
  return given;
}

const GateDetectorDecision& of(const GateDecision& decision, const std::string& profile) {
  const auto found = std::ranges::find(decision.detectors, profile, &GateDetectorDecision::profile);
  EXPECT_NE(found, decision.detectors.end()) << profile;
  return *found;
}

TEST(GateDecisionTest, EnoughExposuresWithoutCorruptionPass) {
  const auto decision = decide(plenty(), {});
  EXPECT_EQ(decision.verdict, Verdict::kClean);
  EXPECT_NEAR(*decision.upper_bound_95, 2.9957 / 6000, 1e-6);
  EXPECT_THAT(decision.reasons, ElementsAre(AllOf(HasSubstr("append: no corruption in 6,000 exposures on 4 hosts"),
                                                  HasSubstr("below 0.0005"), HasSubstr("rule of three"))));
}

TEST(GateDecisionTest, NoExposuresAreNeverAPassWhateverIsAskedFor) {
  auto given = plenty();
  expose(given, 0, 0);
  GateLimits nothing;
  nothing.min_exposures = 0;
  nothing.min_hosts = 0;
  for (const auto& known : {std::vector<std::string>{"append"}, std::vector<std::string>{}}) {
    given.exposed_anywhere = known;
    const auto decision = decide(given, nothing);
    EXPECT_EQ(decision.verdict, Verdict::kUnexposed);
    EXPECT_FALSE(decision.upper_bound_95);
    EXPECT_THAT(decision.reasons, Contains(HasSubstr("No exposure on 5 hosts")));
  }
}

TEST(GateDecisionTest, AKernelThatNobodyRanIsNoPass) {
  GateLimits nothing;
  nothing.min_exposures = 0;
  nothing.min_hosts = 0;
  GateCase nobody;
  nobody.exposed_anywhere = {"append"};
  const auto decision = decide(nobody, nothing);
  EXPECT_EQ(decision.verdict, Verdict::kUnexposed);
  EXPECT_THAT(decision.reasons, ElementsAre(HasSubstr("No host ran such a kernel")));
}

TEST(GateDecisionTest, ExposuresOfAnotherDetectorDoNotStandIn) {
  auto given = plenty();
  expose(given, 0, 0);
  given.evidence.detectors[0].runs = {{"unsupported", 12}, {"unexposed", 3}, {"clean", 0}};
  given.evidence.detectors.push_back(detector("tail-reader", 100'000, 5));
  given.exposed_anywhere = {"append", "tail-reader"};
  const auto decision = decide(given, {});
  EXPECT_EQ(decision.verdict, Verdict::kUnexposed);
  EXPECT_FALSE(decision.upper_bound_95);
  EXPECT_THAT(decision.reasons, ElementsAre("append: not exposed on 5 hosts: 3 runs were unexposed, 12 unsupported."));
  EXPECT_TRUE(of(decision, "append").required);
  EXPECT_NEAR(*of(decision, "tail-reader").upper_bound_95, 2.9957e-5, 1e-8);
}

TEST(GateDecisionTest, OnlyWhatIsRequiredMustBeExposed) {
  auto given = plenty();
  given.evidence.detectors.push_back(detector("tail-reader", 5, 1));
  given.exposed_anywhere = {"append", "tail-reader"};
  EXPECT_EQ(decide(given, {}).verdict, Verdict::kUnexposed);
  GateLimits limits;
  limits.require = {"append"};
  const auto decision = decide(given, limits);
  EXPECT_EQ(decision.verdict, Verdict::kClean);
  EXPECT_FALSE(of(decision, "tail-reader").required);
  limits.require = {"append", "collapse"};
  EXPECT_THAT(decide(given, limits).reasons, ElementsAre("collapse: not exposed on 5 hosts: no run of it is known."));
  // What is not required still counts when it finds something.
  limits.require = {"append"};
  given.evidence.detectors[1].findings["stale"] = 1;
  EXPECT_EQ(decide(given, limits).verdict, Verdict::kCorrupt);
}

TEST(GateDecisionTest, WhatWasExposedOnTheReleaseBeforeIsRequired) {
  auto given = compared();
  given.before->detectors.push_back(detector("append-interposed", 500, 5));
  given.exposed_anywhere = {"append", "append-interposed", "never-on-that-one"};
  given.evidence.detectors.push_back(detector("append-interposed", 0, 0));
  given.evidence.detectors[1].runs["unsupported"] = 40;
  const auto decision = decide(given, {});
  EXPECT_EQ(decision.verdict, Verdict::kUnexposed);
  EXPECT_THAT(
      decision.reasons,
      ElementsAre("append-interposed: not exposed on 5 hosts: 40 runs were unsupported. It had 500 exposures on "
                  "the kernel to compare with; what it found there it cannot find here."));
}

TEST(GateDecisionTest, NothingToCompareWithIsNoPass) {
  auto given = compared();
  given.before->detectors = {detector("append", 0, 0)};
  EXPECT_THAT(decide(given, {}).reasons, ElementsAre(HasSubstr("was never exposed")));
  given.before = GateEvidence{};
  EXPECT_EQ(decide(given, {}).verdict, Verdict::kUnexposed);
  EXPECT_THAT(decide(given, {}).reasons, ElementsAre(HasSubstr("No host ran the kernel to compare with")));
}

TEST(GateDecisionTest, RatesAreComparedByDetectorAndKind) {
  auto given = compared();
  finding(given, "torn") = 600;
  given.before->detectors[0].findings["torn"] = 400;
  given.before->detectors[0].findings["duplicate"] = 20;
  const auto decision = decide(given, {});
  const auto& kinds = of(decision, "append").kinds;
  ASSERT_THAT(kinds, SizeIs(2));
  EXPECT_EQ(kinds[0].kind, "duplicate");
  EXPECT_EQ(kinds[0].count_before, 20U);
  EXPECT_EQ(*kinds[0].ratio->ratio, 0);
  EXPECT_LT(*kinds[0].ratio->high, 0.3);
  EXPECT_NEAR(*kinds[1].ratio->ratio, 2.0, 1e-9);
  EXPECT_GT(kinds[1].ratio->low, 1.7);
  EXPECT_LT(*kinds[1].ratio->high, 2.4);
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
  auto given = plenty();
  finding(given, "torn") = 40;
  GateLimits limits;
  EXPECT_EQ(decide(given, limits).verdict, Verdict::kViolation);
  EXPECT_THAT(decide(given, limits).reasons, Contains(HasSubstr("40 torn appends")));
  EXPECT_THAT(decide(given, limits).refused_kinds, ElementsAre("torn"));
  limits.max_torn = 39;
  EXPECT_EQ(decide(given, limits).verdict, Verdict::kViolation);
  limits.max_torn = 40;
  EXPECT_EQ(decide(given, limits).verdict, Verdict::kClean);
  EXPECT_THAT(decide(given, limits).refused_kinds, IsEmpty());
}

TEST(GateDecisionTest, ABrokenContractIsAViolation) {
  auto given = plenty();
  finding(given, "nowait_contract") = 1;
  EXPECT_EQ(decide(given, {}).verdict, Verdict::kViolation);
  finding(given, "missing") = 1;
  EXPECT_EQ(decide(given, {}).verdict, Verdict::kCorrupt);
}

TEST(GateDecisionTest, AViolationThatIsNotJudgedIsTold) {
  auto given = plenty();
  finding(given, "torn") = 40;
  finding(given, "nowait_contract") = 2;
  GateLimits limits;
  limits.fail_on = FailOn::kCorrupt;
  const auto passed = decide(given, limits);
  EXPECT_EQ(passed.verdict, Verdict::kClean);
  EXPECT_THAT(passed.reasons, Contains(HasSubstr("2 calls with RWF_NOWAIT")));
  EXPECT_THAT(passed.reasons, Contains(HasSubstr("not judged (--fail-on corrupt)")));
  // It does not stand for the evidence that is missing, and corruption is corruption.
  limits.min_hosts = 5;
  EXPECT_EQ(decide(given, limits).verdict, Verdict::kUnexposed);
  finding(given, "stale") = 1;
  EXPECT_EQ(decide(given, limits).verdict, Verdict::kCorrupt);
}

TEST(GateDecisionTest, OneDuplicateRefusesHoweverThinTheEvidence) {
  auto given = plenty();
  given.evidence.releases = {{"6.1.170", 1, 1}};
  given.evidence.corrupt_hosts = 1;
  expose(given, 1, 1);
  finding(given, "duplicate") = 1;
  const auto decision = decide(given, {});
  EXPECT_EQ(decision.verdict, Verdict::kCorrupt);
  EXPECT_NEAR(*decision.upper_bound_95, 4.7439, 1e-4);
  EXPECT_THAT(decision.reasons, Contains(HasSubstr("1 duplicate; at most 0 tolerated")));
  EXPECT_THAT(decision.reasons, Contains("1 host affected."));
}

TEST(GateDecisionTest, CorruptionWithoutAnyExposureIsCorruption) {
  auto given = plenty();
  expose(given, 0, 0);
  finding(given, "duplicate") = 3;
  EXPECT_EQ(decide(given, {}).verdict, Verdict::kCorrupt);
}

TEST(GateDecisionTest, ToleratedDuplicatesCountInTheBound) {
  auto given = plenty();
  finding(given, "duplicate") = 2;
  GateLimits limits;
  limits.max_duplicates = 2;
  const auto decision = decide(given, limits);
  EXPECT_EQ(decision.verdict, Verdict::kClean);
  EXPECT_NEAR(*decision.upper_bound_95, 6.2958 / 6000, 1e-6);
  EXPECT_THAT(decision.reasons, Contains(HasSubstr("2 tolerated findings")));
}

TEST(GateDecisionTest, OtherCorruptionIsNeverTolerated) {
  for (const char* kind : {"missing", "bitflip", "stale", "a kind of the future"}) {
    auto given = plenty();
    finding(given, kind) = 1;
    GateLimits limits;
    limits.max_duplicates = 1000;
    EXPECT_EQ(decide(given, limits).verdict, Verdict::kCorrupt) << kind;
  }
}

TEST(GateDecisionTest, FindingsOfNoKnownDetectorCountToo) {
  auto given = plenty();
  given.evidence.detectors.push_back(detector("", 0, 0));
  EXPECT_EQ(decide(given, {}).verdict, Verdict::kClean);
  given.evidence.detectors[1].findings["duplicate"] = 1;
  EXPECT_EQ(decide(given, {}).verdict, Verdict::kCorrupt);
}

TEST(GateDecisionTest, BlindHostsAndHangsMakeItInconclusive) {
  auto given = plenty();
  given.evidence.blind_hosts = 1;
  EXPECT_EQ(decide(given, {}).verdict, Verdict::kUnexposed);
  EXPECT_THAT(decide(given, {}).reasons, Contains(HasSubstr("self-test on 1 host")));
  given = plenty();
  finding(given, "stuck") = 1;
  EXPECT_EQ(decide(given, {}).verdict, Verdict::kUnexposed);
  EXPECT_THAT(decide(given, {}).reasons, Contains(HasSubstr("A probe hung")));
}

}  // namespace
}  // namespace writecanary::cli
