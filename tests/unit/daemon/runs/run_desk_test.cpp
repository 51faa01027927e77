#include "daemon/runs/run_desk.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include "daemon/config/identity.h"
#include "daemon/live_view.h"
#include "daemon/upkeep/retention.h"
#include "tests/unit/daemon/desk_fixture.h"

namespace writecanary::daemon {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

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

TEST_F(DeskTest, AResultThatCannotBeCommittedWaitsAndIsNotLost) {
  const auto id = started("a");
  SQLite::Database other(config_.storage_path, SQLite::OPEN_READWRITE);
  other.exec("CREATE TRIGGER full BEFORE UPDATE OF state ON runs BEGIN SELECT RAISE(ABORT, 'disk full'); END");
  EXPECT_THROW(until_settled(), storage::StorageError);
  EXPECT_THROW(desk_->pass(), storage::StorageError);
  EXPECT_EQ(row(id).state, RunState::kRunning);
  other.exec("DROP TRIGGER full");
  until_settled();
  EXPECT_EQ(row(id).verdict, Verdict::kClean);
  EXPECT_EQ(desk_->find("a")->bytes_today, 1000U);
}

TEST_F(DeskTest, ARunThatCannotBeStoredWholeIsNotStored) {
  SQLite::Database other(config_.storage_path, SQLite::OPEN_READWRITE);
  other.exec("CREATE TRIGGER full BEFORE UPDATE OF spec ON runs BEGIN SELECT RAISE(ABORT, 'disk full'); END");
  EXPECT_THROW(start("a"), storage::StorageError);
  EXPECT_TRUE(reader_->runs({}).empty()) << "it would wait for ever";
  EXPECT_FALSE(desk_->find("a")->busy());
  other.exec("DROP TRIGGER full");
  EXPECT_EQ(started("a"), 1);
  until_settled();
}

TEST_F(DeskTest, ACgroupThatAnEarlierDaemonCouldNotRemoveHoldsItsTarget) {
  // A directory that cannot be removed stands for a cgroup with a process in it.
  const auto cgroup = directory_.path() + "/cgroup";
  std::filesystem::create_directories(cgroup + "/process");
  desk_->hold_for_leftover("a", cgroup);
  desk_->pass();
  EXPECT_EQ(refused(start("a")), "target-stuck");
  EXPECT_TRUE(desk_->situation().at("a").stuck);
  EXPECT_EQ(refused(start("b")), "accepted") << "others go on";
  until_settled();
  std::filesystem::remove(cgroup + "/process");
  desk_->pass();
  EXPECT_EQ(refused(start("a")), "accepted");
  until_settled();
}

TEST_F(DeskTest, AProbeThatCannotStartIsAnError) {
  std::filesystem::remove(directory_.path() + "/probe");
  const auto id = started("a");
  until_settled();
  EXPECT_EQ(row(id).verdict, Verdict::kError);
  EXPECT_NE(row(id).result.end.reason.find("/probe"), std::string::npos) << row(id).result.end.reason;
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

TEST_F(DeskTest, ARunThatWaitsBeginsWithWhatAReloadHasConfigured) {
  open(kWaits);
  const auto running = started("a");
  const auto waiting = started("a", true);
  until([this] { return progress_seen(); });
  auto& target = config_.targets[0];
  target.path = "/mnt/moved";
  target.fstype = "ext4";
  target.settings.min_free = {1 << 20, 0};
  target.settings.memory_bytes = 32U << 20;
  desk_->configure(config_);
  EXPECT_FALSE(desk_->find("a")->mount.usable) << "before anybody reads the mount table again";
  mounts_.push_back({"8:4", "/mnt/moved", "rw", "ext4", "/dev/sda4", "/", 24, 21});
  desk_->set_mounts(mounts_);
  desk_->stop(running, "me");
  until([&] { return row(waiting).state == RunState::kRunning; });
  const auto spec = nlohmann::json::parse(row(waiting).spec_json).get<RunSpec>();
  EXPECT_EQ(spec.path, "/mnt/moved");
  EXPECT_EQ(spec.expected_fstype, "ext4");
  EXPECT_EQ(spec.min_free_bytes, 1U << 20);
  EXPECT_EQ(spec.memory_bytes, 32U << 20);
  EXPECT_EQ(spec.seed, 2U) << "what it was given stays";
  EXPECT_EQ(nlohmann::json::parse(row(running).spec_json).get<RunSpec>().path, "/mnt/a");
  until([this] { return progress_seen(); });
  desk_->shut_down();
  until_settled();
}

TEST_F(DeskTest, TheLiveViewShowsWhatIsGoingOn) {
  open(kWaits);
  const auto running = started("a");
  const auto waiting = started("a", true);
  until([this] { return progress_seen(); });
  Scheduler scheduler("host");
  scheduler.configure(config_, clock_.now());
  clock_.pass(seconds{30});
  const auto plan = scheduler.plan(desk_->situation(), {0, std::nullopt}, clock_.now());
  const auto state = live_view({}, config_, *desk_, plan, clock_.steady());
  ASSERT_EQ(state->targets.size(), 2U);
  EXPECT_EQ(state->targets[0].state, "running");
  EXPECT_EQ(state->targets[0].current_run, running);
  EXPECT_EQ(state->targets[0].queued_runs, std::vector<std::int64_t>{waiting});
  EXPECT_EQ(state->targets[0].filesystem.type, "xfs");
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
  storage::RunRow row;
  row.target = "a";
  row.spec_json = "{}";
  row.result.profile = "append";
  const auto id = store_->add_run(row);
  RunResult result;
  result.end.verdict = Verdict::kCorrupt;
  result.end.tally.add(FindingKind::kForeign, 1);
  result.findings.resize(1);
  result.end.counters.exposures = 1;
  store_->finish_run(id, result, to_unix_ms(clock_.now()));
  const auto evidence = config_.evidence_root() + "/" + std::to_string(id);
  std::filesystem::create_directories(evidence);
  std::filesystem::create_directories(config_.evidence_root() + "/notes");
  Retention retention(*store_, *reader_, config_.evidence_root(), clock_.now());
  while (retention.step(config_, {clock_.now()})) {
  }
  EXPECT_TRUE(std::filesystem::exists(evidence));
  EXPECT_FALSE(retention.step(config_, {clock_.now() + hours{24 * 91}})) << "what its incident is about stays";
  for (int i = 0; i < 3; ++i) {
    result = {};
    result.end.verdict = Verdict::kClean;
    result.end.counters.exposures = 1'000;
    store_->finish_run(store_->add_run(row), result, to_unix_ms(clock_.now()));
  }
  ASSERT_TRUE(store_->open_incidents().empty());
  EXPECT_TRUE(retention.step(config_, {clock_.now() + hours{24 * 91}}));
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
