#include "core/supervisor/supervisor_table.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <set>
#include <tuple>

namespace writecanary {
namespace {

bool reports(const RunStep& step) { return (step.actions & (kReport | kReportStuck)) != 0; }

// Walks every sequence of inputs, remembering what was done on the way, and hands each step to the check.
struct Walk {
  RunPhase phase = RunPhase::kWorking;
  int reports = 0;
  bool killed = false;
  bool terminated = false;
  auto operator<=>(const Walk&) const = default;  // NOLINT(modernize-use-nullptr): a false alarm of clang-tidy 14
};

template <typename Check>
void walk_everything(const Check& check) {
  std::set<Walk> seen = {Walk{}};
  std::deque<Walk> open = {Walk{}};
  while (!open.empty()) {
    const auto from = open.front();
    open.pop_front();
    for (const auto input : kAllRunInputs) {
      const auto step = next_step(from.phase, input);
      Walk to = from;
      to.phase = step.next;
      to.reports += reports(step) ? 1 : 0;
      to.killed |= (step.actions & kKill) != 0;
      to.terminated |= (step.actions & kTerminate) != 0;
      check(from, input, step, to);
      if (seen.insert(to).second) open.push_back(to);
    }
  }
}

TEST(SupervisorTable, DefinesEveryStep) {
  using enum RunPhase;
  using enum RunInput;
  struct Row {
    RunPhase phase;
    std::map<RunInput, std::pair<RunPhase, unsigned>> steps;
  };
  const std::pair<RunPhase, unsigned> tell{kStopping, kTerminate | kAwaitEnd};
  const std::pair<RunPhase, unsigned> put_down{kKilling, kKill | kAwaitDeath};
  const std::pair<RunPhase, unsigned> done{kGone, kReport};
  const auto stay = [](RunPhase phase) { return std::pair<RunPhase, unsigned>{phase, kNothing}; };
  const std::vector<Row> rows = {{kWorking,
                                  {{kStopAsked, tell},
                                   {kKillAsked, put_down},
                                   {kTimeout, tell},
                                   {kRunEnd, {kEnding, kAwaitEnd}},
                                   {kViolation, put_down},
                                   {kLeaderExited, put_down},
                                   {kAllGone, done}}},
                                 {kStopping,
                                  {{kStopAsked, stay(kStopping)},
                                   {kKillAsked, put_down},
                                   {kTimeout, put_down},
                                   {kRunEnd, {kEnding, kAwaitEnd}},
                                   {kViolation, put_down},
                                   {kLeaderExited, put_down},
                                   {kAllGone, done}}},
                                 {kEnding,
                                  {{kStopAsked, stay(kEnding)},
                                   {kKillAsked, put_down},
                                   {kTimeout, put_down},
                                   {kRunEnd, stay(kEnding)},
                                   {kViolation, put_down},
                                   {kLeaderExited, put_down},
                                   {kAllGone, done}}},
                                 {kKilling,
                                  {{kStopAsked, stay(kKilling)},
                                   {kKillAsked, stay(kKilling)},
                                   {kTimeout, {kStuck, kReportStuck}},
                                   {kRunEnd, stay(kKilling)},
                                   {kViolation, stay(kKilling)},
                                   {kLeaderExited, {kKilling, kKill}},
                                   {kAllGone, done}}},
                                 {kStuck,
                                  {{kStopAsked, stay(kStuck)},
                                   {kKillAsked, stay(kStuck)},
                                   {kTimeout, stay(kStuck)},
                                   {kRunEnd, stay(kStuck)},
                                   {kViolation, stay(kStuck)},
                                   {kLeaderExited, {kStuck, kKill}},
                                   {kAllGone, stay(kGone)}}},
                                 {kGone,
                                  {{kStopAsked, stay(kGone)},
                                   {kKillAsked, stay(kGone)},
                                   {kTimeout, stay(kGone)},
                                   {kRunEnd, stay(kGone)},
                                   {kViolation, stay(kGone)},
                                   {kLeaderExited, stay(kGone)},
                                   {kAllGone, stay(kGone)}}}};
  ASSERT_EQ(rows.size(), kAllRunPhases.size());
  for (const auto& row : rows) {
    ASSERT_EQ(row.steps.size(), kAllRunInputs.size());
    for (const auto& [input, expected] : row.steps) {
      const auto step = next_step(row.phase, input);
      EXPECT_EQ(step.next, expected.first) << static_cast<int>(row.phase) << " x " << static_cast<int>(input);
      EXPECT_EQ(step.actions, expected.second) << static_cast<int>(row.phase) << " x " << static_cast<int>(input);
    }
  }
}

TEST(SupervisorTable, ReportsExactlyOnceOnEveryWay) {
  walk_everything([](const Walk& from, RunInput input, const RunStep&, const Walk& to) {
    const bool should = to.phase == RunPhase::kGone || to.phase == RunPhase::kStuck;
    EXPECT_EQ(to.reports, should ? 1 : 0) << static_cast<int>(from.phase) << " x " << static_cast<int>(input);
  });
}

TEST(SupervisorTable, IsStuckOnlyAfterAKillAndLeavesOnlyWhenAllIsGone) {
  walk_everything([](const Walk& from, RunInput input, const RunStep& step, const Walk& to) {
    if (to.phase == RunPhase::kStuck) {
      EXPECT_TRUE(to.killed);
    }
    if (from.phase != RunPhase::kGone && to.phase == RunPhase::kGone) {
      EXPECT_EQ(input, RunInput::kAllGone);
    }
    // Whoever enters a phase that can last must have a time for it.
    const bool timed =
        to.phase == RunPhase::kStopping || to.phase == RunPhase::kEnding || to.phase == RunPhase::kKilling;
    if (timed && from.phase != to.phase) {
      EXPECT_NE(step.actions & (kAwaitEnd | kAwaitDeath), 0U);
    }
  });
}

TEST(SupervisorTable, EveryPhaseLeadsToAnEndByTimeAlone) {
  for (auto phase : kAllRunPhases) {
    if (phase == RunPhase::kGone) continue;
    int steps = 0;
    while (phase != RunPhase::kStuck && steps < 10) {
      phase = next_step(phase, RunInput::kTimeout).next;
      ++steps;
    }
    EXPECT_LE(steps, 3);
  }
}

}  // namespace
}  // namespace writecanary
