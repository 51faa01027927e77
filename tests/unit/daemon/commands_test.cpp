#include "daemon/commands.h"

#include "tests/unit/daemon/desk_fixture.h"

namespace writecanary::daemon {
namespace {

using std::chrono::hours;

TEST_F(DeskTest, RunsCanBeStoppedWaitingAndRunning) {
  open(kWaits);
  const auto running = started("a");
  const auto waiting = started("a", true);
  until([this] { return progress_seen(); });
  EXPECT_EQ(refused(execute(api::StopRun{waiting})), "accepted");
  EXPECT_EQ(row(waiting).verdict, Verdict::kStopped);
  EXPECT_EQ(row(waiting).result.end.reason, "stopped before it began, by me");
  EXPECT_EQ(refused(execute(api::StopRun{running})), "accepted");
  until_settled();
  EXPECT_EQ(row(running).verdict, Verdict::kStopped);
  EXPECT_EQ(refused(execute(api::StopRun{running})), "run-not-active");
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
  execute(api::SetPaused{"b", true, "disk is being replaced"});
  const auto paused = start("b");
  EXPECT_EQ(refused(paused), "target-paused");
  EXPECT_NE(std::get<api::Refusal>(paused).detail.find("disk is being replaced (by me)"), std::string::npos);
  execute(api::SetPaused{"b", false, ""});
  EXPECT_EQ(refused(start("b")), "accepted");
  until_settled();
  EXPECT_TRUE(store_->events_after(0, 100).size() == 5);
}

TEST_F(DeskTest, APauseOutlivesTheDaemon) {
  execute(api::SetPaused{"a", true, ""});
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

TEST_F(DeskTest, AKeyIsItsCallersAndHoldsForOneRequest) {
  api::StartRun command{.target = "a", .profile = "append", .queue = true, .idempotency_key = "key-1"};
  const auto first = std::get<api::Accepted>(execute(command)).id;
  const auto as_you = [&](const api::StartRun& wanted) {
    return commands_->execute({"you", "192.0.2.2", "id-2", "POST", "/somewhere"}, wanted);
  };
  EXPECT_NE(std::get<api::Accepted>(as_you(command)).id, first) << "another's key is another key";

  api::StartRun other = command;
  other.writes = 7;
  EXPECT_EQ(refused(execute(other)), "idempotency-key-reused");
  EXPECT_EQ(std::get<api::Refusal>(execute(other)).status, 422);
  other = command;
  other.seed = 1;
  EXPECT_EQ(refused(execute(other)), "idempotency-key-reused");
  EXPECT_EQ(std::get<api::Accepted>(execute(command)).id, first);

  command.key_scope = "alertmanager";
  const auto hooked = std::get<api::Accepted>(execute(command)).id;
  EXPECT_NE(hooked, first);
  EXPECT_EQ(std::get<api::Accepted>(as_you(command)).id, hooked) << "whoever sends the alert";
}

TEST_F(DeskTest, SeveralProfilesAreOneOrder) {
  catalogue_.push_back(catalogue_[0]);
  catalogue_[1].name = "offset";
  catalogue_[1].options = {{"size", "Size of a write", "bytes", 1, 100, 10}};
  api::StartRun command{.target = "a", .profile = "append", .more_profiles = {"offset"}, .idempotency_key = "key-1"};
  command.options = {{"size", 64}};
  const auto first = std::get<api::Accepted>(execute(command));
  ASSERT_EQ(first.more.size(), 1U);
  EXPECT_FALSE(first.replayed);
  const auto again = std::get<api::Accepted>(execute(command));
  EXPECT_EQ(again.id, first.id);
  EXPECT_EQ(again.more, first.more);
  EXPECT_TRUE(again.replayed);
  until_settled();
  EXPECT_EQ(reader_->runs({}).size(), 2U);
  EXPECT_EQ(row(first.id).result.profile, "append");
  EXPECT_EQ(row(first.more[0]).result.profile, "offset");
  EXPECT_EQ(nlohmann::json::parse(row(first.id).spec_json)["options"], nlohmann::json::object());
  EXPECT_EQ(nlohmann::json::parse(row(first.more[0]).spec_json)["options"], nlohmann::json({{"size", 64}}));

  command.more_profiles = {"nothing of the kind"};
  command.idempotency_key = "key-2";
  EXPECT_EQ(refused(execute(command)), "unknown-profile");
  EXPECT_EQ(reader_->runs({}).size(), 2U) << "all of an order or nothing of it";
}

TEST_F(DeskTest, AnOrderThatDoesNotFitIsRefusedWhole) {
  open(kWaits);
  api::StartRun command{.target = "a", .profile = "append", .queue = true};
  command.more_profiles.assign(kQueuedRunsPerTarget + 1, "append");
  EXPECT_EQ(refused(execute(command)), "queue-full");
  EXPECT_TRUE(reader_->runs({}).empty());
  command.more_profiles.pop_back();
  EXPECT_EQ(refused(execute(command)), "accepted") << "the first begins at once";
  desk_->shut_down();
  until_settled();
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
  clock_.pass(hours{24});
  EXPECT_EQ(refused(start("a")), "budget-spent") << "the day is noticed at the next pass";
  EXPECT_EQ(refused(start("a")), "accepted");
  until_settled();
}

TEST_F(DeskTest, FindingsAreCommittedWithTheirRunAndAcknowledged) {
  open("say_hello; say_finding; say_end");
  started("a");
  until_settled();
  const auto findings = reader_->findings({});
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].kernel_release, "6.1.0-fake");
  EXPECT_EQ(refused(execute(api::AckFinding{findings[0].id, "known"})), "accepted");
  EXPECT_TRUE(store_->open_incidents().empty());
  EXPECT_EQ(refused(execute(api::AckFinding{999, "?"})), "unknown-finding");
}

TEST_F(DeskTest, EveryChangeStandsInTheAudit) {
  open(kWaits);
  const auto id = started("a");
  until([this] { return progress_seen(); });
  EXPECT_EQ(refused(start("a")), "target-busy");
  EXPECT_EQ(refused(execute(api::RefusedChange{401, "token-needed: A token is needed"})), "accepted");
  EXPECT_EQ(refused(execute(api::StopRun{id})), "accepted");
  until_settled();
  const auto rows = reader_->audit({});
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[3].outcome, "done");
  EXPECT_EQ(rows[3].who, "me");
  EXPECT_EQ(rows[3].address, "192.0.2.1");
  EXPECT_EQ(rows[3].request_id, "id-1");
  EXPECT_EQ(rows[3].path, "/somewhere");
  EXPECT_EQ(rows[2].outcome, "refused");
  EXPECT_EQ(rows[2].detail.substr(0, 13), "target-busy: ");
  EXPECT_EQ(rows[1].detail, "token-needed: A token is needed");
  EXPECT_EQ(rows[0].outcome, "done");
}

}  // namespace
}  // namespace writecanary::daemon
