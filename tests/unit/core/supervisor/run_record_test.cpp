#include "core/supervisor/run_record.h"

#include <gtest/gtest.h>

#include <csignal>

#include "core/base/limits.h"

namespace writecanary {
namespace {

RunSpec spec() {
  RunSpec spec;
  spec.run_id = "7";
  spec.profile = "append";
  spec.path = "/data";
  spec.seed = 99;
  return spec;
}

Hello hello() {
  Hello hello;
  hello.run_id = "7";
  hello.kernel.release = "6.1.0";
  hello.filesystem.type = "xfs";
  return hello;
}

RunEnd clean_end() {
  RunEnd end;
  end.verdict = Verdict::kClean;
  end.reason = "500 exposures";
  return end;
}

FindingEvent finding(FindingKind kind, std::uint64_t length) {
  FindingEvent event;
  event.finding.kind = kind;
  event.finding.length_bytes = length;
  return event;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(RunRecord, TheVerdictIsThatOfRunEndWhateverTheExitStatus) {
  for (const int status : {0, 3 << 8, SIGKILL}) {
    RunRecord record(spec());
    record.hear(hello());
    record.hear(finding(FindingKind::kTorn, 8));
    record.hear(clean_end());
    ProcessEnd process;
    process.wait_status = status;
    const auto result = record.conclude(process);
    EXPECT_EQ(result.end.verdict, Verdict::kClean);
    EXPECT_EQ(result.end.reason, "500 exposures");
    EXPECT_EQ(result.kernel.release, "6.1.0");
    EXPECT_EQ(result.filesystem.type, "xfs");
    EXPECT_EQ(result.findings.size(), 1U);
    EXPECT_EQ(result.profile, "append");
    EXPECT_EQ(result.seed, 99U);
  }
}

TEST(RunRecord, WhatWasToldEarlyIsAFindingUnlessItComesAgain) {
  FindingEvent early = finding(FindingKind::kZeroed, 512);
  early.early = true;
  RunRecord record(spec());
  record.hear(hello());
  record.hear(early);
  record.hear(early);
  const auto cut_short = record.conclude({});
  EXPECT_EQ(cut_short.end.verdict, Verdict::kError);
  EXPECT_EQ(cut_short.findings.size(), 2U);
  EXPECT_EQ(cut_short.end.tally.count_of(FindingKind::kZeroed), 2U);
  EXPECT_TRUE(cut_short.end.first_finding_seconds);

  record.hear(finding(FindingKind::kDuplicate, 4096));
  const auto later = record.conclude({});
  ASSERT_EQ(later.findings.size(), 1U);
  EXPECT_EQ(later.findings[0].kind, FindingKind::kDuplicate);
  EXPECT_EQ(later.end.tally.total(), 1U);

  record.hear(early);
  record.hear(clean_end());
  EXPECT_EQ(record.conclude({}).findings.size(), 1U) << "the probe had its last word";
}

TEST(RunRecord, WithoutRunEndItIsAnErrorEvenAfterExitZero) {
  RunRecord record(spec());
  record.hear(hello());
  Progress progress;
  progress.counters.writes = 12;
  record.hear(progress);
  record.hear(finding(FindingKind::kDuplicate, 4096));
  ProcessEnd process;
  process.wait_status = 0;
  process.last_words = "assertion failed";
  const auto result = record.conclude(process);
  EXPECT_EQ(result.end.verdict, Verdict::kError);
  EXPECT_EQ(result.end.reason, "the probe ended without a verdict: exit code 0; its last words: assertion failed");
  EXPECT_EQ(result.end.counters.writes, 12U);
  EXPECT_EQ(result.end.tally.bytes_of(FindingKind::kDuplicate), 4096U);
  EXPECT_EQ(result.findings.size(), 1U);
}

TEST(RunRecord, SaysWhyItHadToBeKilled) {
  RunRecord record(spec());
  ProcessEnd process;
  process.wait_status = SIGKILL;
  process.killed = process.stop_asked = true;
  EXPECT_EQ(record.conclude(process).end.reason,
            "the probe ended without a verdict: killed by SIGKILL; it was told to stop by a request, and killed before "
            "it did");
  process.stop_asked = false;
  process.deadline_passed = true;
  EXPECT_EQ(record.conclude(process).end.reason,
            "the probe ended without a verdict: killed by SIGKILL; it was told to stop because it ran over its time, "
            "and killed before it did");
  ProcessEnd starved;
  starved.wait_status = SIGKILL;
  starved.oom_kills = 2;
  const auto result = record.conclude(starved);
  EXPECT_TRUE(has(result.end.reason, "killed by SIGKILL")) << result.end.reason;
  EXPECT_TRUE(has(result.end.reason, "the kernel killed 2 of its processes because its memory limit"));
  EXPECT_EQ(result.end.counters.oom_kills, 2U);
}

TEST(RunRecord, SpeaksToWhoeverReadsIt) {
  ProcessEnd process;
  process.wait_status = SIGTERM;
  process.stop_asked = true;
  process.oom_kills = 1;
  const std::string reason = RunRecord(spec(), {"Ctrl-C", "Buy some"}).conclude(process).end.reason;
  EXPECT_EQ(reason,
            "the probe ended without a verdict: killed by SIGTERM; it was told to stop by Ctrl-C; the kernel killed 1 "
            "of its processes because its memory limit was reached. Buy some");
  EXPECT_TRUE(has(RunRecord(spec()).conclude(process).end.reason, "Give the target more memory"));
}

TEST(RunRecord, AViolationNeverLeavesACleanRun) {
  RunRecord record(spec());
  record.hear(hello());
  record.hear(clean_end());
  ProcessEnd process;
  process.wait_status = 0;
  process.violation = "an event after run_end";
  const auto result = record.conclude(process);
  EXPECT_EQ(result.end.verdict, Verdict::kError);
  EXPECT_EQ(result.end.reason, "the probe broke the protocol: an event after run_end; it had said: 500 exposures");

  RunRecord corrupt(spec());
  corrupt.hear(hello());
  auto end = clean_end();
  end.verdict = Verdict::kCorrupt;
  corrupt.hear(end);
  EXPECT_EQ(corrupt.conclude(process).end.verdict, Verdict::kCorrupt);
}

TEST(RunRecord, RefusesWhatDoesNotBelong) {
  RunRecord early(spec());
  EXPECT_THROW(early.hear(clean_end()), ProtocolError);
  RunRecord twice(spec());
  twice.hear(hello());
  EXPECT_THROW(twice.hear(hello()), ProtocolError);
  RunRecord other(spec());
  auto wrong = hello();
  wrong.run_id = "8";
  EXPECT_THROW(other.hear(wrong), ProtocolError);
  RunRecord late(spec());
  late.hear(hello());
  late.hear(clean_end());
  EXPECT_THROW(late.hear(Progress{}), ProtocolError);
  RunRecord endless(spec());
  endless.hear(hello());
  EXPECT_THROW(
      {
        for (int i = 0; i < 1'000'000; ++i) endless.hear(Progress{});
      },
      ProtocolError);
}

TEST(RunRecord, KeepsSoManyFindingsAndCountsAll) {
  RunRecord record(spec());
  record.hear(hello());
  for (std::size_t i = 0; i < kFindingsPerRun + 5; ++i) record.hear(finding(FindingKind::kTorn, 1));
  const auto result = record.conclude({});
  EXPECT_EQ(result.findings.size(), kFindingsPerRun);
  EXPECT_EQ(result.end.tally.count_of(FindingKind::kTorn), kFindingsPerRun + 5);
  const auto stuck = record.conclude_stuck({});
  EXPECT_EQ(stuck.findings.size(), kFindingsPerRun);
  EXPECT_EQ(stuck.findings.back().kind, FindingKind::kStuck);
}

TEST(RunRecord, StuckIsAFindingOfItsOwn) {
  RunRecord record(spec());
  ProcessEnd process;
  process.pid = 4711;
  process.killed = true;
  process.elapsed_seconds = 45;
  const auto result = record.conclude_stuck(process);
  EXPECT_EQ(result.end.verdict, Verdict::kStuck);
  EXPECT_EQ(result.end.tally.count_of(FindingKind::kStuck), 1U);
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(result.findings[0].detail,
            "a process of the probe is still there 45.0 s after the run began, although it was killed: it hangs in the "
            "kernel, most likely in a call on /data (see /proc/4711/stack and the kernel log). Its files are left in "
            "/data/.writecanary");
  ProcessEnd left_behind = process;
  left_behind.wait_status = 0;
  EXPECT_TRUE(has(record.conclude_stuck(left_behind).end.reason, "/proc/PID/stack")) << "that one is gone";

  RunRecord corrupt(spec());
  corrupt.hear(hello());
  auto end = clean_end();
  end.verdict = Verdict::kCorrupt;
  corrupt.hear(end);
  EXPECT_EQ(corrupt.conclude_stuck(process).end.verdict, Verdict::kCorrupt);
}

TEST(ResultWithoutProbe, IsAllThatTheSpecKnows) {
  RunSpec unstarted = spec();
  unstarted.pressure.reason = "no cgroup";
  const RunResult result = result_without_probe(unstarted, Verdict::kError, "no such program");
  EXPECT_EQ(result.profile, "append");
  EXPECT_EQ(result.seed, 99U);
  EXPECT_EQ(result.pressure.reason, "no cgroup");
  EXPECT_EQ(result.end.verdict, Verdict::kError);
  EXPECT_EQ(result.end.reason, "no such program");
}

}  // namespace
}  // namespace writecanary
