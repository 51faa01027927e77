#include "core/run/verdict.h"

#include <gtest/gtest.h>

#include <string>

namespace writecanary {
namespace {

struct VerdictCase {
  Verdict verdict;
  std::string_view text;
  int exit_code;
};

constexpr VerdictCase kCases[] = {{Verdict::kClean, "clean", 0},
                                  {Verdict::kCorrupt, "corrupt", 2},
                                  {Verdict::kUnexposed, "unexposed", 3},
                                  {Verdict::kStopped, "stopped", 3},
                                  {Verdict::kUnsupported, "unsupported", 4},
                                  {Verdict::kError, "error", 5},
                                  {Verdict::kStuck, "stuck", 5},
                                  {Verdict::kInterrupted, "interrupted", 5},
                                  {Verdict::kViolation, "violation", 6}};

TEST(Verdict, HasNameAndExitCode) {
  EXPECT_EQ(std::size(kCases), kAllVerdicts.size());
  for (const auto& [verdict, text, code] : kCases) {
    EXPECT_EQ(to_string(verdict), text);
    EXPECT_EQ(parse_verdict(text), verdict);
    EXPECT_EQ(exit_code(verdict), code) << text;
  }
}

TEST(Verdict, ParsesNothingElse) {
  for (const char* text : {"", "Clean", "clean ", "cleaner", "queued"}) EXPECT_EQ(parse_verdict(text), std::nullopt);
}

TEST(Verdict, OnlyCleanExitsWithZero) {
  for (const Verdict verdict : kAllVerdicts) EXPECT_EQ(exit_code(verdict) == 0, verdict == Verdict::kClean);
}

TEST(Verdict, WorseFollowsTheDocumentedOrder) {
  constexpr Verdict kMostAlarmingFirst[] = {Verdict::kCorrupt,   Verdict::kStuck,       Verdict::kViolation,
                                            Verdict::kError,     Verdict::kInterrupted, Verdict::kStopped,
                                            Verdict::kUnexposed, Verdict::kUnsupported, Verdict::kClean};
  for (std::size_t i = 0; i < std::size(kMostAlarmingFirst); ++i) {
    for (std::size_t j = i; j < std::size(kMostAlarmingFirst); ++j) {
      EXPECT_EQ(worse(kMostAlarmingFirst[i], kMostAlarmingFirst[j]), kMostAlarmingFirst[i]);
      EXPECT_EQ(worse(kMostAlarmingFirst[j], kMostAlarmingFirst[i]), kMostAlarmingFirst[i]);
    }
  }
}

TEST(FailOn, OnlyAViolationCanBeTakenAsClean) {
  for (const Verdict verdict : kAllVerdicts) {
    EXPECT_EQ(taken_as(verdict, FailOn::kViolation), verdict);
    EXPECT_EQ(taken_as(verdict, FailOn::kCorrupt), verdict == Verdict::kViolation ? Verdict::kClean : verdict);
  }
  EXPECT_EQ(parse_fail_on("violation"), FailOn::kViolation);
  EXPECT_EQ(parse_fail_on("corrupt"), FailOn::kCorrupt);
  EXPECT_EQ(parse_fail_on("clean"), std::nullopt);
}

TEST(RunState, HasName) {
  constexpr std::pair<RunState, std::string_view> kStates[] = {
      {RunState::kQueued, "queued"}, {RunState::kRunning, "running"}, {RunState::kFinished, "finished"}};
  for (const auto& [state, text] : kStates) {
    EXPECT_EQ(to_string(state), text);
    EXPECT_EQ(parse_run_state(text), state);
  }
  EXPECT_EQ(parse_run_state("done"), std::nullopt);
  EXPECT_EQ(parse_run_state(""), std::nullopt);
}

}  // namespace
}  // namespace writecanary
