#include "daemon/run_desk.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/units.h"
#include "daemon/commands.h"
#include "daemon/identity.h"
#include "daemon/live_view.h"
#include "daemon/retention.h"
#include "fake_probe.h"
#include "storage/reader.h"

namespace writecanary::daemon {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr char kGood[] = "say_hello; say_progress; say_end";
constexpr char kWaits[] = "trap 'say_stopped; exit 0' TERM; say_hello; say_progress; while :; do sleep 0.01; done";

// The wall clock stands where the test puts it; the other one runs, since processes do.
class TestClock final : public Clock {
 public:
  SystemTime now() const override { return now_; }
  SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
  SystemTime now_ = from_unix_ms(*parse_timestamp_ms("2026-06-01T12:00:00Z"));
};

// A desk on a real database with a scripted probe.
class DeskTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"a", "b"}) {
      TargetConfig target;
      target.name = name;
      target.path = std::string("/mnt/") + name;
      target.settings.profiles = {"append"};
      config_.targets.push_back(target);
    }
    config_.storage_path = directory_.path() + "/results.db";
    catalogue_.resize(1);
    catalogue_[0].name = "append";
    open(kGood);
  }

  void open(const std::string& script) {
    commands_.reset();
    desk_.reset();
    reader_.reset();
    store_.reset();
    store_ = storage::Store::open(config_.storage_path);
    reader_ = std::make_unique<storage::Reader>(config_.storage_path);
    desk_ = std::make_unique<RunDesk>(
        DeskServices{*store_, events_, metrics_, loop_, clock_, CgroupRoot{0, "", "none in this test"}, "wc-test-",
                     make_fake_probe(directory_, "probe", script), config_.evidence_root(), [this] { return ++seed_; },
                     Patience{seconds{60}, seconds{60}, seconds{60}}});
    desk_->configure(config_);
    desk_->set_mounts(mounts_);
    commands_ = std::make_unique<Commands>(*desk_, *store_, metrics_, catalogue_, clock_);
  }

  api::CommandResult start(const std::string& target, bool queue = false, const std::string& key = "") {
    api::StartRun command;
    command.target = target;
    command.profile = "append";
    command.queue = queue;
    command.idempotency_key = key;
    command.requested_by = "test";
    auto result = commands_->execute(command);
    desk_->pass();
    return result;
  }
  std::int64_t started(const std::string& target, bool queue = false) {
    return std::get<api::Accepted>(start(target, queue)).id;
  }
  static std::string refused(const api::CommandResult& result) {
    const auto* refusal = std::get_if<api::Refusal>(&result);
    return refusal == nullptr ? "accepted" : refusal->type;
  }

  template <typename Condition>
  void until(const Condition& condition) {
    bool timed_out = false;
    Timer timer(loop_, [&] { timed_out = true; });
    timer.set(clock_.steady() + seconds{60});
    desk_->pass();
    while (!condition() && !timed_out) {
      loop_.run_once();
      desk_->pass();
    }
    ASSERT_FALSE(timed_out) << "nothing happened for a minute";
  }
  void until_settled() {
    until([this] { return desk_->settled(); });
  }
  bool progress_seen() const {
    return !desk_->live_runs().empty() && desk_->live_runs()[0].progress.counters.writes > 0;
  }
  storage::RunRow row(std::int64_t id) const { return *reader_->run(id); }
  std::vector<std::string> event_types() const {
    std::vector<std::string> types;
    for (const auto& event : store_->events_after(0, 100)) types.push_back(event.type);
    return types;
  }

  TempDir directory_;
  TestClock clock_;
  Config config_;
  std::vector<Mount> mounts_ = {{"8:1", "/", "rw", "ext4", "/dev/sda1"},
                                {"8:2", "/mnt/a", "rw", "xfs", "/dev/sda2"},
                                {"8:3", "/mnt/b", "rw", "xfs", "/dev/sda3"}};
  Catalogue catalogue_;
  EventLoop loop_;
  api::EventHub events_;
  api::Metrics metrics_;
  std::uint64_t seed_ = 0;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<storage::Reader> reader_;
  std::unique_ptr<RunDesk> desk_;
  std::unique_ptr<Commands> commands_;
};

TEST_F(DeskTest, ARunIsCommittedFromOrderToVerdict) {
  const auto id = started("a");
  EXPECT_EQ(row(id).state, RunState::kRunning);
  until_settled();
  const auto run = row(id);
  EXPECT_EQ(run.state, RunState::kFinished);
  EXPECT_EQ(run.verdict, Verdict::kClean);
  EXPECT_EQ(run.result.kernel.release, "6.1.0-fake");
  EXPECT_EQ(run.result.seed, 1U);
  EXPECT_EQ(run.trigger, "api");
  EXPECT_EQ(nlohmann::json::parse(run.spec_json).get<RunSpec>().path, "/mnt/a");
  EXPECT_EQ(event_types(), (std::vector<std::string>{"run.queued", "run.started", "run.finished"}));
  // The streams got the same events under the same ids, and the progress between them.
  std::vector<std::int64_t> ids;
  bool progress = false;
  for (const auto& event : events_.wait_after(0, std::chrono::milliseconds{0})) {
    if (event.id) ids.push_back(*event.id);
    progress |= event.type == "run.progress" && nlohmann::json::parse(event.data_json)["writes"] == 5;
  }
  EXPECT_EQ(ids, (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_TRUE(progress);
  EXPECT_EQ(desk_->find("a")->bytes_today, 1000U);
}

TEST_F(DeskTest, OneRunPerTargetAndSoManyOnTheHost) {
  open(kWaits);
  const auto first = started("a");
  EXPECT_EQ(refused(start("a")), "target-busy");
  const auto second = started("a", true);
  const auto other = started("b");
  EXPECT_EQ(row(first).state, RunState::kRunning);
  EXPECT_EQ(row(second).state, RunState::kQueued);
  EXPECT_EQ(row(other).state, RunState::kQueued) << "max_concurrent_runs = 1";
  config_.concurrent_runs_max = 2;
  desk_->configure(config_);
  desk_->pass();
  EXPECT_EQ(row(other).state, RunState::kRunning);
  EXPECT_EQ(row(second).state, RunState::kQueued) << "its target is busy";
  until([this] { return progress_seen(); });
  desk_->shut_down();
  until_settled();
  EXPECT_EQ(row(first).verdict, Verdict::kStopped);
  EXPECT_EQ(row(second).verdict, Verdict::kStopped);
  EXPECT_EQ(row(second).result.end.reason, "the daemon was shut down before it began");
}

TEST_F(DeskTest, RunsCanBeStoppedWaitingAndRunning) {
  open(kWaits);
  const auto running = started("a");
  const auto waiting = started("a", true);
  until([this] { return progress_seen(); });
  EXPECT_EQ(refused(commands_->execute(api::StopRun{waiting, "me"})), "accepted");
  EXPECT_EQ(row(waiting).verdict, Verdict::kStopped);
  EXPECT_EQ(row(waiting).result.end.reason, "stopped before it began, by me");
  EXPECT_EQ(refused(commands_->execute(api::StopRun{running, "me"})), "accepted");
  until_settled();
  EXPECT_EQ(row(running).verdict, Verdict::kStopped);
  EXPECT_EQ(refused(commands_->execute(api::StopRun{running, "me"})), "run-not-active");
}

TEST_F(DeskTest, RefusesWithTheReasonAndTheWayOut) {
  EXPECT_EQ(refused(start("c")), "unknown-target");
  mounts_.erase(mounts_.begin() + 1);
  desk_->set_mounts(mounts_);
  const auto unmounted = start("a");
  EXPECT_EQ(refused(unmounted), "target-not-mounted");
  EXPECT_EQ(std::get<api::Refusal>(unmounted).detail,
            "target \"a\": /mnt/a is not a mount point (it is on /). Mount it, or set require_mount = false");
  EXPECT_EQ(std::get<api::Refusal>(unmounted).status, 409);
  commands_->execute(api::SetPaused{"b", true, "disk is being replaced", "me"});
  const auto paused = start("b");
  EXPECT_EQ(refused(paused), "target-paused");
  EXPECT_NE(std::get<api::Refusal>(paused).detail.find("disk is being replaced (by me)"), std::string::npos);
  commands_->execute(api::SetPaused{"b", false, "", "me"});
  EXPECT_EQ(refused(start("b")), "accepted");
  until_settled();
  EXPECT_TRUE(store_->events_after(0, 100).size() == 5);
}

TEST_F(DeskTest, APauseOutlivesTheDaemon) {
  commands_->execute(api::SetPaused{"a", true, "", "me"});
  open(kGood);
  EXPECT_TRUE(desk_->find("a")->paused);
  EXPECT_EQ(desk_->find("a")->paused_note, "by me");
}

TEST_F(DeskTest, TheSameKeyStartsOneRun) {
  const auto first = start("a", false, "key-1");
  const auto again = start("a", false, "key-1");
  EXPECT_EQ(std::get<api::Accepted>(first).id, std::get<api::Accepted>(again).id);
  EXPECT_FALSE(std::get<api::Accepted>(first).replayed);
  EXPECT_TRUE(std::get<api::Accepted>(again).replayed);
  until_settled();
  EXPECT_EQ(reader_->runs({}).size(), 1U);
}

TEST_F(DeskTest, TheQueueIsBounded) {
  open(kWaits);
  started("a");
  for (std::size_t i = 0; i < kQueuedRunsPerTarget; ++i) EXPECT_EQ(refused(start("a", true)), "accepted");
  EXPECT_EQ(refused(start("a", true)), "queue-full");
  desk_->shut_down();
  until_settled();
}

TEST_F(DeskTest, TheBudgetOfTheDayIsKept) {
  config_.targets[0].settings.bytes_per_day_max = 1500;
  desk_->configure(config_);
  desk_->set_mounts(mounts_);
  const auto first = started("a");
  until_settled();
  EXPECT_EQ(nlohmann::json::parse(row(first).spec_json)["bytes_max"], 1500);
  const auto second = started("a");
  until_settled();
  EXPECT_EQ(nlohmann::json::parse(row(second).spec_json)["bytes_max"], 500);
  EXPECT_EQ(refused(start("a")), "budget-spent");
  clock_.now_ += hours{24};
  EXPECT_EQ(refused(start("a")), "budget-spent") << "the day is noticed at the next pass";
  EXPECT_EQ(refused(start("a")), "accepted");
  until_settled();
}

TEST_F(DeskTest, ACrashLeavesInterruptedRunsAndASweepComesFirst) {
  open(kWaits);
  const auto cut_off = started("a");
  const auto script = "case $id in sweep-*) touch " + directory_.path() + "/swept;; *) test -e " + directory_.path() +
                      "/swept || exit 9;; esac; say_hello; say_end";
  // The daemon dies: nothing of the run is committed any more.
  open(script);
  const auto unfinished = store_->interrupt_unfinished(to_unix_ms(clock_.now()));
  ASSERT_EQ(unfinished.size(), 1U);
  EXPECT_EQ(unfinished[0].id, cut_off);
  EXPECT_EQ(row(cut_off).verdict, Verdict::kInterrupted);
  desk_->sweep_before_next("a");
  const auto next = started("a");
  until_settled();
  EXPECT_EQ(row(next).verdict, Verdict::kClean) << row(next).result.end.reason;
  EXPECT_EQ(reader_->runs({}).size(), 2U) << "a sweep is no run";
}

TEST_F(DeskTest, AProbeThatCannotStartIsAnError) {
  std::filesystem::remove(directory_.path() + "/probe");
  const auto id = started("a");
  until_settled();
  EXPECT_EQ(row(id).verdict, Verdict::kError);
  EXPECT_NE(row(id).result.end.reason.find("/probe"), std::string::npos) << row(id).result.end.reason;
}

TEST_F(DeskTest, FindingsAreCommittedWithTheirRunAndAcknowledged) {
  open("say_hello; say_finding; say_end");
  started("a");
  until_settled();
  const auto findings = reader_->findings({});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kernel_release, "6.1.0-fake");
  EXPECT_EQ(refused(commands_->execute(api::AckFinding{findings[0].id, "known", "me"})), "accepted");
  EXPECT_TRUE(store_->open_findings().empty() || store_->open_findings()[0].count == 0);
  EXPECT_EQ(refused(commands_->execute(api::AckFinding{999, "?", "me"})), "unknown-finding");
}

TEST_F(DeskTest, ARemovedTargetFinishesItsRunAndLosesItsQueue) {
  open(kWaits);
  const auto running = started("a");
  const auto waiting = started("a", true);
  auto smaller = config_;
  smaller.targets.erase(smaller.targets.begin());
  desk_->configure(smaller);
  EXPECT_EQ(desk_->find("a"), nullptr);
  EXPECT_EQ(row(waiting).verdict, Verdict::kStopped);
  EXPECT_EQ(row(running).state, RunState::kRunning);
  EXPECT_EQ(refused(start("a")), "unknown-target");
  until([this] { return progress_seen(); });
  EXPECT_TRUE(desk_->stop(running, "me"));
  until_settled();
  EXPECT_EQ(row(running).verdict, Verdict::kStopped);
  EXPECT_FALSE(desk_->desks().contains("a"));
}

TEST_F(DeskTest, TheLiveViewShowsWhatIsGoingOn) {
  open(kWaits);
  const auto running = started("a");
  const auto waiting = started("a", true);
  until([this] { return progress_seen(); });
  Scheduler scheduler("host");
  scheduler.configure(config_, clock_.now());
  clock_.now_ += seconds{30};
  const auto plan = scheduler.plan(desk_->situation(), {0, std::nullopt}, clock_.now());
  const auto state = live_view({}, config_, *desk_, plan, clock_.now());
  ASSERT_EQ(state->targets.size(), 2U);
  EXPECT_EQ(state->targets[0].state, "running");
  EXPECT_EQ(state->targets[0].current_run, running);
  EXPECT_EQ(state->targets[0].queued_runs, std::vector<std::int64_t>{waiting});
  EXPECT_EQ(state->targets[0].fstype, "xfs");
  EXPECT_TRUE(state->targets[0].mounted);
  EXPECT_EQ(state->targets[1].state, "waiting");
  ASSERT_EQ(state->targets[1].profiles.size(), 1U);
  EXPECT_TRUE(state->targets[1].profiles[0].next_run_ms);
  ASSERT_EQ(state->runs.size(), 1U);
  EXPECT_EQ(state->runs[0].progress.counters.writes, 5U);
  desk_->shut_down();
  until_settled();
}

TEST_F(DeskTest, RetentionRemovesOldRunsWithTheirEvidence) {
  const auto id = started("a");
  until_settled();
  const auto evidence = config_.evidence_root() + "/" + std::to_string(id);
  const auto orphan = config_.evidence_root() + "/999";
  std::filesystem::create_directories(evidence);
  std::filesystem::create_directories(orphan);
  std::filesystem::create_directories(config_.evidence_root() + "/notes");
  Retention retention(*store_, *reader_, config_.evidence_root());
  EXPECT_EQ(retention.step(config_, clock_.now()), 0);
  EXPECT_TRUE(std::filesystem::exists(evidence));
  EXPECT_FALSE(std::filesystem::exists(orphan)) << "left by a crash";
  EXPECT_EQ(retention.step(config_, clock_.now() + hours{24 * 91}), 1);
  EXPECT_FALSE(std::filesystem::exists(evidence));
  EXPECT_TRUE(std::filesystem::exists(config_.evidence_root() + "/notes")) << "not ours";
}

TEST(Identity, HashesAndNamesAreStable) {
  EXPECT_EQ(stable_hash(""), stable_hash(""));
  EXPECT_NE(stable_hash("a"), stable_hash("b"));
  EXPECT_EQ(cgroup_prefix("/a/results.db"), cgroup_prefix("/a/results.db"));
  EXPECT_NE(cgroup_prefix("/a/results.db"), cgroup_prefix("/b/results.db"));
  EXPECT_FALSE(host_id().empty());
}

}  // namespace
}  // namespace writecanary::daemon
