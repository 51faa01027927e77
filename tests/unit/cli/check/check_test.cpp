#include "cli/check/check.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/types.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/app.h"
#include "cli/terminal/run_view.h"
#include "core/host/cgroup.h"
#include "tests/unit/cli/support.h"

namespace writecanary::cli {
namespace {

class Check : public testing::Test {
 protected:
  int run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"check", directory_.path()});
    return run_command_line(test_.environment, std::move(arguments));
  }
  nlohmann::json spec() const { return nlohmann::json::parse(std::ifstream(directory_ / "spec.json")); }
  nlohmann::json document() const { return nlohmann::json::parse(test_.out.str()); }
  void prepare(const std::string& name, const std::vector<Event>& events) {
    write_file(directory_ / name, lines_of(events));
  }

  const TemporaryDirectory directory_;
  TestEnvironment test_;
};

TEST_F(Check, CleanRunExitsZeroAndPrintsATable) {
  prepare("events", {sample_hello(), sample_end(Verdict::kClean)});
  const FakeProbe probe(directory_, small_catalogue(), "say events");
  EXPECT_EQ(run({"--profile", "append", "--writes", "500"}), 0) << test_.err.str();
  EXPECT_NE(test_.out.str().find("append   clean       500        499         0  1.3 s  500 of 500"), std::string::npos)
      << test_.out.str();
  EXPECT_NE(test_.out.str().find("xfs on /dev/vda, Linux 6.1.0, memory cgroup: cgroup2"), std::string::npos);
  EXPECT_NE(test_.out.str().find("Verdict: clean\n"), std::string::npos);
}

TEST_F(Check, TheProbeGetsWhatWasAskedFor) {
  prepare("events", {sample_hello(), sample_end(Verdict::kClean)});
  const FakeProbe probe(directory_, small_catalogue(), "say events");
  ASSERT_EQ(run({"--profile", "append", "--writes", "500", "--seed", "18446744073709551615", "--memory", "32MiB",
                 "--option", "size=1024", "--bytes", "1GiB", "--min-free", "2GiB", "--keep-evidence", "/tmp/kept"}),
            0);
  const nlohmann::json asked = spec();
  EXPECT_EQ(asked.at("profile"), "append");
  EXPECT_EQ(asked.at("path"), std::filesystem::canonical(directory_.path()).string());
  EXPECT_EQ(asked.at("require_mount"), false);
  EXPECT_EQ(asked.at("seed"), "18446744073709551615");
  EXPECT_EQ(asked.at("writes_max"), 500);
  EXPECT_EQ(asked.at("duration_ms"), 120'000) << "no early end, but an end";
  EXPECT_EQ(asked.at("memory_bytes"), 32 << 20);
  EXPECT_EQ(asked.at("bytes_max"), 1 << 30);
  EXPECT_EQ(asked.at("min_free_bytes"), 2LL << 30);
  EXPECT_EQ(asked.at("min_free_percent"), 0);
  EXPECT_EQ(asked.at("options"), nlohmann::json({{"size", 1024}}));
  EXPECT_EQ(asked.at("evidence_directory"), "/tmp/kept/" + asked.at("run_id").get<std::string>());
}

TEST_F(Check, DefaultsAreTenSecondsAndADrawnSeed) {
  prepare("events", {sample_hello(), sample_end(Verdict::kClean)});
  const FakeProbe probe(directory_, small_catalogue(), "say events");
  ASSERT_EQ(run({"--profile", "offset"}), 0);
  EXPECT_EQ(spec().at("duration_ms"), 10'000);
  EXPECT_EQ(spec().at("writes_max"), 0);
  EXPECT_EQ(spec().at("seed"), "77");
  EXPECT_EQ(spec().at("min_free_percent"), 5.0);
}

TEST_F(Check, ClassicIsAppendWithoutACgroup) {
  prepare("events", {sample_hello(), sample_end(Verdict::kClean)});
  const FakeProbe probe(directory_, small_catalogue(), "say events");
  ASSERT_EQ(run({"--classic"}), 0);
  EXPECT_EQ(spec().at("profile"), "append");
  EXPECT_EQ(spec().at("classic"), true);
  EXPECT_EQ(spec().at("pressure").at("backend"), "none");
  EXPECT_EQ(test_.err.str(), "") << "having no cgroup is not a complaint here";
  EXPECT_EQ(run({"--classic", "--profile", "offset"}), 1);
}

TEST_F(Check, JsonIsOneDocumentWithTheWorstVerdict) {
  RunEnd corrupt = sample_end(Verdict::kCorrupt);
  corrupt.tally.add(FindingKind::kStale, 8192);
  prepare("append", {sample_hello(), FindingEvent{sample_finding(FindingKind::kStale, 65536)}, corrupt});
  prepare("offset", {sample_hello(), sample_end(Verdict::kClean)});
  const FakeProbe probe(directory_, small_catalogue(),
                        "case $(cat spec.json) in *'\"profile\":\"append\"'*) say append;; *) say offset;; esac");
  EXPECT_EQ(run({"--profile", "all", "--json"}), 2);
  const nlohmann::json found = document();
  EXPECT_EQ(found.at("verdict"), "corrupt");
  EXPECT_EQ(found.at("kernel").at("release"), "6.1.0");
  EXPECT_EQ(found.at("filesystem").at("type"), "xfs");
  ASSERT_EQ(found.at("runs").size(), 2U);
  EXPECT_EQ(found.at("runs")[0].at("finding_counts"), nlohmann::json({{"stale", 1}}));
  EXPECT_EQ(found.at("runs")[0].at("findings")[0].at("offset_bytes"), 65536);
  EXPECT_EQ(found.at("runs")[1].at("profile"), "offset");
  EXPECT_EQ(found.at("runs")[1].at("verdict"), "clean");
}

TEST_F(Check, AViolationIsSixOrWhatTheOthersSayWithoutIt) {
  prepare("append", {sample_hello(), sample_end(Verdict::kViolation)});
  prepare("offset", {sample_hello(), sample_end(Verdict::kClean)});
  const FakeProbe probe(directory_, small_catalogue(),
                        "case $(cat spec.json) in *'\"profile\":\"append\"'*) say append;; *) say offset;; esac");
  EXPECT_EQ(run({"--profile", "all", "--json"}), 6);
  EXPECT_EQ(document().at("verdict"), "violation");
  EXPECT_EQ(run({"--profile", "all", "--fail-on", "violation"}), 6);
  test_.out.str("");
  EXPECT_EQ(run({"--profile", "all", "--fail-on", "corrupt", "--json"}), 0);
  EXPECT_EQ(document().at("verdict"), "violation") << "the exit code is the caller's, the verdict is not";
  prepare("offset", {sample_hello(), sample_end(Verdict::kUnexposed)});
  EXPECT_EQ(run({"--profile", "all"}), 6);
  EXPECT_EQ(run({"--profile", "all", "--fail-on", "corrupt"}), 3) << "it hides nothing that another run did not prove";
  EXPECT_EQ(run({"--profile", "all", "--fail-on", "clean"}), 1);
}

TEST_F(Check, FindingsAreShownInLines) {
  std::vector<Event> events = {sample_hello()};
  RunEnd end = sample_end(Verdict::kCorrupt);
  for (std::uint64_t number = 0; number < 7; ++number) {
    events.emplace_back(FindingEvent{sample_finding(FindingKind::kDuplicate, number * 8192)});
    end.tally.add(FindingKind::kDuplicate, 8192);
  }
  events.emplace_back(end);
  prepare("events", events);
  const FakeProbe probe(directory_, small_catalogue(), "say events");
  EXPECT_EQ(run({"--profile", "append"}), 2);
  EXPECT_NE(test_.out.str().find("  duplicate  f-0 at 32,768, 8,192 bytes, page aligned, belongs to 4,096; "
                                 "write 12 of writer 3 (punted, 262144 of 262144 bytes)\n  ... and 2 more\n"),
            std::string::npos)
      << test_.out.str();
}

TEST_F(Check, AReasonThatTheTableCannotHoldStandsBeneathItWhole) {
  RunEnd end = sample_end(Verdict::kUnsupported);
  end.reason = std::string("io_uring is refused here, and ") + std::string(150, 'x') + " is the way out";
  prepare("events", {sample_hello(), end});
  const FakeProbe probe(directory_, small_catalogue(), "say events");
  EXPECT_EQ(run({"--profile", "append"}), 4);
  EXPECT_NE(test_.out.str().find("io_uring is refused here, and xxx"), std::string::npos);
  EXPECT_NE(test_.out.str().find("append: unsupported\n  " + end.reason + "\n"), std::string::npos) << test_.out.str();

  test_.out.str("");
  end.reason = "short";
  prepare("events", {sample_hello(), end});
  EXPECT_EQ(run({"--profile", "append"}), 4);
  EXPECT_EQ(test_.out.str().find("append: unsupported"), std::string::npos) << "nothing is said twice";
}

TEST_F(Check, AProbeThatDiesHasNoVerdictButError) {
  prepare("events", {sample_hello()});
  const FakeProbe probe(directory_, small_catalogue(), "say events; echo 'the disk is gone' >&2; exit 3");
  EXPECT_EQ(run({"--profile", "append", "--json"}), 5);
  const std::string reason = document().at("runs")[0].at("reason");
  EXPECT_NE(reason.find("without a verdict"), std::string::npos) << reason;
  EXPECT_NE(reason.find('3'), std::string::npos) << reason;
  EXPECT_NE(reason.find("the disk is gone"), std::string::npos) << reason;
}

TEST_F(Check, AProbeThatDiesForWantOfMemorySaysSo) {
  if (prepare_cgroup_root().version == 0) GTEST_SKIP() << "no memory cgroup can be made here";
  prepare("events", {sample_hello()});
  const FakeProbe probe(directory_, small_catalogue(), "say events; exec tail /dev/zero");  // keeps its last line
  EXPECT_EQ(run({"--profile", "append", "--json", "--memory", "16MiB"}), 5);
  const std::string reason = document().at("runs")[0].at("reason");
  EXPECT_NE(reason.find("the kernel killed 1 of its processes because its memory limit was reached"), std::string::npos)
      << reason;
}

TEST_F(Check, AProbeThatSaysNonsenseIsKilled) {
  const FakeProbe probe(directory_, small_catalogue(), "echo nonsense; trap '' TERM; while :; do sleep 1; done");
  EXPECT_EQ(run({"--profile", "append", "--json"}), 5);
  EXPECT_NE(document().at("runs")[0].at("reason").get<std::string>().find("protocol"), std::string::npos);
}

TEST_F(Check, AProbeThatSaysThingsOutOfOrderHasNoCleanVerdict) {
  prepare("hello", {sample_hello()});
  prepare("end", {sample_end(Verdict::kClean)});
  for (const char* script : {"say end", "say hello; say hello; say end", "say hello; say end; say end",
                             "say hello; id=another; say hello; say end"}) {
    const FakeProbe probe(directory_, small_catalogue(), script);
    test_.out.str("");
    EXPECT_EQ(run({"--profile", "append", "--json"}), 5) << script;
    const std::string reason = document().at("runs")[0].at("reason");
    EXPECT_NE(reason.find("the probe broke the protocol"), std::string::npos) << script << ": " << reason;
  }
}

TEST_F(Check, WhatAProbeLeavesBehindGoesWithIt) {
  if (prepare_cgroup_root().version == 0) GTEST_SKIP() << "no memory cgroup can be made here";
  prepare("events", {sample_hello(), sample_end(Verdict::kClean)});
  const FakeProbe probe(directory_, small_catalogue(), "say events; setsid sleep 600 & echo $! > child");
  EXPECT_EQ(run({"--profile", "append"}), 0) << test_.out.str();
  pid_t child = 0;
  std::ifstream(directory_ / "child") >> child;
  ASSERT_GT(child, 0);
  // Killed; as nobody's child it may wait for init to take note.
  std::string name, state;
  std::ifstream(fmt::format("/proc/{}/stat", child)) >> child >> name >> state;
  EXPECT_TRUE(state.empty() || state == "Z") << state;
}

TEST_F(Check, BytesOnStderrThatAreNoTextDoNotSpoilTheDocument) {
  prepare("events", {sample_hello()});
  const FakeProbe probe(directory_, small_catalogue(), "say events; printf '\\377\\033[2J' >&2; exit 3");
  EXPECT_EQ(run({"--profile", "append", "--json"}), 5);
  const std::string reason = document().at("runs")[0].at("reason");
  EXPECT_NE(reason.find("its last words: \\xff\\x1b[2J"), std::string::npos) << reason;
}

TEST_F(Check, CtrlCAsksTheProbeToStop) {
  prepare("hello", {sample_hello()});
  prepare("stopped", {sample_end(Verdict::kStopped)});
  const FakeProbe probe(directory_, small_catalogue(),
                        "say hello; trap 'say stopped; exit 0' TERM; kill -INT $PPID; while :; do sleep 0.01; done");
  EXPECT_EQ(run({"--profile", "all", "--json"}), exit_code(Verdict::kStopped));
  EXPECT_EQ(document().at("verdict"), "stopped");
  EXPECT_EQ(document().at("runs").size(), 1U) << "the other profile is not begun";
}

TEST_F(Check, AFloodDoesNotKeepCtrlCAway) {
  prepare("hello", {sample_hello()});
  prepare("stopped", {sample_end(Verdict::kStopped)});
  const FakeProbe probe(directory_, small_catalogue(),
                        "say hello; trap 'say stopped; exit 0' TERM; n=0\n"
                        "while :; do echo flood >&2; n=$((n + 1)); [ $n = 1000 ] && kill -INT $PPID; done");
  EXPECT_EQ(run({"--profile", "append", "--json"}), exit_code(Verdict::kStopped));
  EXPECT_NE(test_.err.str().find("flood\nflood\n"), std::string::npos);
}

TEST_F(Check, ASecondCtrlCKillsTheProbe) {
  prepare("hello", {sample_hello()});
  const FakeProbe probe(directory_, small_catalogue(),
                        "say hello; trap 'kill -INT $PPID' TERM; kill -INT $PPID; while :; do sleep 0.01; done");
  EXPECT_EQ(run({"--profile", "append", "--json"}), 5);
  const std::string reason = document().at("runs")[0].at("reason");
  EXPECT_NE(reason.find("KILL"), std::string::npos) << reason;
  EXPECT_NE(reason.find("Ctrl-C"), std::string::npos) << reason;
}

TEST_F(Check, APathThatCannotBeTestedIsAUsageError) {
  const FakeProbe probe(directory_, small_catalogue(), "exit 1");
  write_file(directory_ / "file", "");
  EXPECT_EQ(run_command_line(test_.environment, {"check", directory_ / "none"}), 1);
  EXPECT_NE(test_.err.str().find("No such file or directory"), std::string::npos);
  EXPECT_EQ(run_command_line(test_.environment, {"check", directory_ / "file"}), 1);
  EXPECT_NE(test_.err.str().find("is not a directory"), std::string::npos);
  EXPECT_EQ(run_command_line(test_.environment, {"check", "/proc/self"}), 1) << "not writable, not even for root";
}

TEST_F(Check, UnknownNamesAreUsageErrorsThatListTheKnownOnes) {
  const FakeProbe probe(directory_, small_catalogue(), "exit 1");
  EXPECT_EQ(run({"--profile", "apend"}), 1);
  EXPECT_NE(test_.err.str().find("no profile \"apend\"; there are: append, offset, or all"), std::string::npos);
  EXPECT_EQ(run({"--profile", "all", "--option", "sise=9"}), 1);
  EXPECT_NE(test_.err.str().find("append.size"), std::string::npos);
  EXPECT_EQ(run({"--profile", "append", "--option", "size=4097"}), 1);
  EXPECT_NE(test_.err.str().find("takes 8 to 4096 bytes"), std::string::npos);
}

TEST_F(Check, AMissingProbeIsAFailureThatNamesIt) {
  setenv("WRITECANARY_PROBE", "/nonexistent/probe", 1);
  EXPECT_EQ(run({}), 5);
  unsetenv("WRITECANARY_PROBE");
  EXPECT_NE(test_.err.str().find("/nonexistent/probe"), std::string::npos);
}

TEST(RunView, ReadsBackWhatARunDocumentSays) {
  RunResult run;
  run.profile = "append";
  run.seed = UINT64_MAX;
  run.end = sample_end(Verdict::kCorrupt);
  run.end.tally.add(FindingKind::kStale, 16);
  run.findings.push_back(sample_finding(FindingKind::kStale, 8));
  const nlohmann::json document = run_document(run);
  EXPECT_EQ(run_document(parse_run_document(document)), document);
}

}  // namespace
}  // namespace writecanary::cli
