#include "core/supervisor/run_supervisor.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "core/base/error.h"
#include "tests/unit/core/fake_probe.h"

namespace writecanary {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Long where nothing should run out, short where something must.
constexpr RunPatience kPatient{seconds{60}, seconds{60}, seconds{60}};
constexpr RunPatience kHurried{seconds{60}, milliseconds{50}, seconds{60}};

bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// One supervised script.
class Supervised {
 public:
  explicit Supervised(const std::string& script, RunPatience patience = kPatient,
                      const CgroupRoot& root = {0, "", "no cgroup in this test"})
      : timer_(loop_, [this] { timed_out_ = true; }) {
    RunSpec spec;
    spec.run_id = "7";
    spec.profile = "append";
    spec.path = "/nowhere";
    spec.duration_ms = 100;
    RunCallbacks callbacks;
    callbacks.on_hello = [this](const Hello& hello) { release = hello.kernel.release; };
    callbacks.on_progress = [this](const Progress& progress) { writes = progress.counters.writes; };
    callbacks.on_line = [this](const std::string& line) { lines.push_back(line); };
    callbacks.on_result = [this](RunResult value) {
      EXPECT_FALSE(result) << "a second result";
      result = std::move(value);
    };
    supervisor_ = std::make_unique<RunSupervisor>(
        loop_, clock_, root,
        Launch{
            make_fake_probe(directory_, "probe", script), spec, "wc-test-" + std::to_string(::getpid()), patience, {}},
        std::move(callbacks));
  }

  // Lets the loop go round until the condition holds; a hang fails the test instead of hanging it.
  template <typename Condition>
  bool until(const Condition& condition) {
    timer_.set(clock_.steady() + seconds{60});
    while (!condition() && !timed_out_) loop_.run_once();
    EXPECT_FALSE(timed_out_) << "nothing happened for a minute";
    return !timed_out_;
  }
  const RunResult& finish() {
    until([this] { return supervisor_->gone(); });
    EXPECT_TRUE(result);
    return *result;
  }
  RunSupervisor& supervisor() { return *supervisor_; }
  void destroy() { supervisor_.reset(); }
  const TemporaryDirectory& directory() const { return directory_; }

  std::optional<RunResult> result;
  std::string release;
  std::uint64_t writes = 0;
  std::vector<std::string> lines;

 private:
  TemporaryDirectory directory_;
  SystemClock clock_;
  EventLoop loop_;
  bool timed_out_ = false;
  Timer timer_;
  std::unique_ptr<RunSupervisor> supervisor_;
};

TEST(RunSupervisor, AGoodProbeIsBelieved) {
  Supervised run("say_hello; say_progress; say_finding; say_end");
  const auto& result = run.finish();
  EXPECT_EQ(result.end.verdict, Verdict::kClean);
  EXPECT_EQ(result.end.reason, "5 exposures");
  EXPECT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(run.release, "6.1.0-fake");
  EXPECT_EQ(run.writes, 5U);
}

TEST(RunSupervisor, AVerdictOutlivesABadExit) {
  Supervised run("say_hello; say_end; exit 3");
  EXPECT_EQ(run.finish().end.verdict, Verdict::kClean);
}

TEST(RunSupervisor, NoRunEndIsAnErrorThatTellsAll) {
  Supervised run("say_hello; echo 'out of luck' >&2; exit 3");
  const auto& end = run.finish().end;
  EXPECT_EQ(end.verdict, Verdict::kError);
  EXPECT_TRUE(mentions(end.reason, "exit code 3")) << end.reason;
  EXPECT_TRUE(mentions(end.reason, "out of luck")) << end.reason;
}

TEST(RunSupervisor, ExitZeroWithoutAWordIsAnErrorToo) {
  Supervised run("exit 0");
  EXPECT_EQ(run.finish().end.verdict, Verdict::kError);
}

TEST(RunSupervisor, GarbageIsAViolation) {
  Supervised run("say_hello; echo 'this is not JSON'; sleep 600");
  const auto& end = run.finish().end;
  EXPECT_EQ(end.verdict, Verdict::kError);
  EXPECT_TRUE(mentions(end.reason, "broke the protocol")) << end.reason;
}

TEST(RunSupervisor, AnEndlessLineIsAViolation) {
  Supervised run("say_hello; head -c 70000 /dev/zero | tr '\\0' x; sleep 600");
  EXPECT_TRUE(mentions(run.finish().end.reason, "broke the protocol"));
}

TEST(RunSupervisor, AFloodIsAViolation) {
  Supervised run("say_hello; line=$(say_progress); yes \"$line\"");
  EXPECT_TRUE(mentions(run.finish().end.reason, "events without end"));
}

TEST(RunSupervisor, TalkAfterTheVerdictTakesItBack) {
  Supervised run("say_hello; say_end; say_progress; sleep 600");
  EXPECT_EQ(run.finish().end.verdict, Verdict::kError);
}

TEST(RunSupervisor, AProbeThatIsToldToStopSaysItsVerdict) {
  Supervised run("trap 'say_stopped; exit 0' TERM; say_hello; say_progress; while :; do sleep 0.01; done");
  run.until([&] { return run.writes > 0; });
  run.supervisor().stop();
  run.supervisor().stop();
  EXPECT_EQ(run.finish().end.verdict, Verdict::kStopped);
  EXPECT_EQ(run.result->end.reason, "told to");
}

TEST(RunSupervisor, AProbeThatIgnoresTheStopIsKilled) {
  Supervised run("trap '' TERM; say_hello; say_progress; while :; do sleep 600; done", kHurried);
  run.until([&] { return run.writes > 0; });
  run.supervisor().stop();
  const auto& end = run.finish().end;
  EXPECT_EQ(end.verdict, Verdict::kError);
  EXPECT_TRUE(mentions(end.reason, "killed before it did")) << end.reason;
}

TEST(RunSupervisor, WhoeverDoesNotWaitForTheStopKillsIt) {
  Supervised run("trap '' TERM; say_hello; say_progress; while :; do sleep 600; done");
  run.until([&] { return run.writes > 0; });
  run.supervisor().stop();
  EXPECT_EQ(run.supervisor().phase(), RunPhase::kStopping);
  run.supervisor().kill();
  const auto& end = run.finish().end;
  EXPECT_EQ(end.verdict, Verdict::kError);
  EXPECT_TRUE(mentions(end.reason, "killed by SIGKILL; it was told to stop by a request, and killed")) << end.reason;
}

TEST(RunSupervisor, AKilledVerdictIsStillAVerdict) {
  Supervised run("say_hello; say_end; exec sleep 600");
  run.until([&] { return run.supervisor().phase() == RunPhase::kEnding; });
  run.supervisor().kill();
  EXPECT_EQ(run.finish().end.verdict, Verdict::kClean);
}

TEST(RunSupervisor, HandsOnWhatIsSaidOnStderr) {
  Supervised run("say_hello; echo one >&2; printf 'two\\nthree' >&2; exit 1");
  EXPECT_TRUE(mentions(run.finish().end.reason, "its last words: one; two; three")) << run.result->end.reason;
  EXPECT_EQ(run.lines, (std::vector<std::string>{"one", "two"}));
}

TEST(RunSupervisor, TheDeadlineStopsIt) {
  Supervised run("say_hello; exec sleep 600", {milliseconds{200}, seconds{60}, seconds{60}});
  const auto& end = run.finish().end;
  EXPECT_EQ(end.verdict, Verdict::kError);
  EXPECT_TRUE(mentions(end.reason, "killed by SIGTERM")) << end.reason;
  EXPECT_TRUE(mentions(end.reason, "ran over its time")) << end.reason;
}

TEST(RunSupervisor, AProbeThatHangsAfterItsVerdictIsKilledAndBelieved) {
  Supervised run("trap '' TERM; say_hello; say_end; exec sleep 600", kHurried);
  EXPECT_EQ(run.finish().end.verdict, Verdict::kClean);
}

TEST(RunSupervisor, AProgramThatIsNotThereIsAnError) {
  EventLoop loop;
  const SystemClock clock;
  try {
    const RunSupervisor supervisor(loop, clock, {}, Launch{"/nowhere/probe", {}, "x", {}, {}}, {});
    FAIL() << "started";
  } catch (const SystemError& error) {
    EXPECT_TRUE(mentions(error.what(), "/nowhere/probe")) << error.what();
  }
}

class InCgroup : public testing::Test {
 protected:
  void SetUp() override {
    root_ = prepare_cgroup_root();
    if (root_.version == 0) GTEST_SKIP() << root_.reason;
  }
  CgroupRoot root_;
};

TEST_F(InCgroup, WhatTheProbeLeavesBehindIsKilledWithIt) {
  Supervised run("say_hello; cat /proc/self/cgroup >&2; sleep 600 & say_end", kPatient, root_);
  const auto& result = run.finish();
  EXPECT_EQ(result.end.verdict, Verdict::kClean);
  EXPECT_FALSE(std::filesystem::exists(root_.directory + "/wc-test-" + std::to_string(::getpid())));
}

TEST_F(InCgroup, IsWhereTheProbeRuns) {
  Supervised run("say_hello; cat /proc/self/cgroup >&2; exit 1", kPatient, root_);
  EXPECT_TRUE(mentions(run.finish().end.reason, "wc-test-" + std::to_string(::getpid()))) << run.result->end.reason;
}

// A frozen process does not die of SIGKILL before it is thawed: as good as one that hangs in the kernel.
class Freezer {
 public:
  Freezer() : directory_("/sys/fs/cgroup/freezer/wc-test-" + std::to_string(::getpid())) {
    std::error_code error;
    usable_ = std::filesystem::exists("/sys/fs/cgroup/freezer/tasks", error) &&
              std::filesystem::create_directory(directory_, error);
  }
  ~Freezer() {
    if (!usable_) return;
    set("THAWED");
    std::error_code error;
    for (int i = 0; i < 1000 && !std::filesystem::remove(directory_, error) && error; ++i) ::usleep(1000);
  }
  bool usable() const { return usable_; }
  std::string procs() const { return directory_ + "/cgroup.procs"; }
  void set(const char* state) const { std::ofstream(directory_ + "/freezer.state") << state; }
  bool frozen() const {
    std::ifstream file(directory_ + "/freezer.state");
    std::string state;
    return file >> state && state == "FROZEN";
  }

 private:
  std::string directory_;
  bool usable_ = false;
};

TEST(RunSupervisor, AProcessThatDoesNotDieIsStuckUntilItIsGone) {
  const Freezer freezer;
  if (!freezer.usable()) GTEST_SKIP() << "no version 1 freezer to write to";
  Supervised run("echo $$ > " + freezer.procs() + "; say_hello; say_progress; exec sleep 600",
                 {seconds{60}, milliseconds{20}, milliseconds{20}});
  run.until([&] { return run.writes > 0; });
  freezer.set("FROZEN");
  // The script forks nothing any more: a process that waits in vfork(2) cannot be frozen.
  while (!freezer.frozen()) ::usleep(1000);
  run.supervisor().stop();
  run.until([&] { return run.result.has_value(); });
  EXPECT_EQ(run.supervisor().phase(), RunPhase::kStuck);
  EXPECT_EQ(run.result->end.verdict, Verdict::kStuck);
  EXPECT_EQ(run.result->end.tally.count_of(FindingKind::kStuck), 1U);
  freezer.set("THAWED");
  run.finish();
}

}  // namespace
}  // namespace writecanary
