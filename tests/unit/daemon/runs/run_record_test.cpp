#include "daemon/runs/run_record.h"

#include <gtest/gtest.h>

#include <csignal>

#include "core/base/limits.h"
#include "core/host/cgroup.h"
#include "daemon/runs/run_order.h"
#include "daemon/schedule/pressure_gate.h"
#include "tests/unit/daemon/temp_dir.h"

namespace writecanary::daemon {
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
  EXPECT_TRUE(has(record.conclude(process).end.reason, "it was killed because it did not stop when told"));
  process.stop_asked = false;
  process.deadline_passed = true;
  EXPECT_TRUE(has(record.conclude(process).end.reason, "ran over its time"));
  ProcessEnd starved;
  starved.wait_status = SIGKILL;
  starved.oom_kills = 2;
  const auto result = record.conclude(starved);
  EXPECT_TRUE(has(result.end.reason, "killed by SIGKILL")) << result.end.reason;
  EXPECT_TRUE(has(result.end.reason, "the kernel killed 2 of its processes because its memory limit"));
  EXPECT_EQ(result.end.counters.oom_kills, 2U);
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
  process.killed = true;
  process.elapsed_seconds = 45;
  const auto result = record.conclude_stuck(process);
  EXPECT_EQ(result.end.verdict, Verdict::kStuck);
  EXPECT_EQ(result.end.tally.count_of(FindingKind::kStuck), 1U);
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_TRUE(has(result.findings[0].detail, "hangs in the kernel, most likely in a call on /data"));

  RunRecord corrupt(spec());
  corrupt.hear(hello());
  auto end = clean_end();
  end.verdict = Verdict::kCorrupt;
  corrupt.hear(end);
  EXPECT_EQ(corrupt.conclude_stuck(process).end.verdict, Verdict::kCorrupt);
}

TEST(RunOrder, SpecHasTheTargetsSettingsAndTheOrdersOverrides) {
  TargetConfig target;
  target.name = "data_1.x";
  target.path = "/data";
  target.fstype = "xfs";
  target.options["append"] = {{"write_bytes", 1}, {"files", 2}};
  RunOrder order{"data_1.x",   "append",     "api",        "me",           "",  5000,
                 std::nullopt, std::nullopt, std::nullopt, {{"files", 3}}, true};
  const auto made = make_spec(order, target, 12, 77, "/var/evidence");
  EXPECT_EQ(made.run_id, "12");
  EXPECT_EQ(made.seed, 77U);
  EXPECT_EQ(made.duration_ms, 5000U);
  EXPECT_EQ(made.memory_bytes, 64ULL << 20);
  EXPECT_TRUE(made.require_mount);
  EXPECT_EQ(made.expected_fstype, "xfs");
  EXPECT_EQ(made.min_free_percent, 5);
  EXPECT_TRUE(made.classic);
  EXPECT_EQ(made.options, (std::map<std::string, std::int64_t>{{"write_bytes", 1}, {"files", 3}}));
  EXPECT_EQ(made.evidence_directory, "/var/evidence/12");
  const auto sweep = make_sweep_spec(target);
  EXPECT_EQ(sweep.task, Task::kSweep);
  EXPECT_EQ(sweep.run_id, "sweep-data-1-x");
}

TEST(RunOrder, WritesEndARunUnlessItsDurationWasAskedFor) {
  TargetConfig target;
  target.settings.writes = 200;
  const auto writes = [&](const RunOrder& order) { return make_spec(order, target, 1, 1, "").writes_max; };
  RunOrder order;
  EXPECT_EQ(writes(order), 200U);
  order.duration_ms = 5000;
  EXPECT_EQ(writes(order), 0U);
  order.writes = 7;
  EXPECT_EQ(writes(order), 7U);
  RunOrder classic;
  classic.classic = true;
  EXPECT_EQ(writes(classic), 0U);
}

TEST(RunOrder, BudgetIsWhatIsLeftOfTheDay) {
  TargetConfig target;
  target.settings.bytes_per_day_max = 100;
  EXPECT_EQ(budget_left(target, 30), 70U);
  EXPECT_EQ(budget_left(target, 100), 0U);
  EXPECT_EQ(budget_left(target, 130), 0U);
  target.settings.bytes_per_day_max = 0;
  EXPECT_EQ(budget_left(target, 130), std::nullopt);
}

TEST(MemoryPressure, IsSomeAvg60) {
  const TempDir directory;
  EXPECT_EQ(parse_memory_pressure("some avg10=1.00 avg60=12.34 avg300=0.10 total=1\nfull avg10=0.00 avg60=9.00\n"),
            12.34);
  for (const char* text : {"", "full avg10=0.00 avg60=9.00\n", "some avg10=1.00\n", "some avg60=x total=1\n"}) {
    EXPECT_EQ(parse_memory_pressure(text), std::nullopt) << text;
  }
  EXPECT_EQ(read_memory_pressure(directory.write("memory", "some avg10=0.00 avg60=0.50 avg300=0.00 total=1\n")), 0.5);
  EXPECT_EQ(read_memory_pressure(directory.path() + "/nothing"), std::nullopt);
}

TEST(CgroupStats, ReadBothVersions) {
  const TempDir version2, version1, none;
  version2.write("memory.events", "low 0\nhigh 0\nmax 17\noom 3\noom_kill 2\n");
  version1.write("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n");
  EXPECT_EQ(oom_kills_of(version2.path()), 2U);
  EXPECT_EQ(oom_kills_of(version1.path()), 5U);
  EXPECT_EQ(oom_kills_of(none.path()), 0U);
}

}  // namespace
}  // namespace writecanary::daemon
