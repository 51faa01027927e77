// The life of a run and everything else that the Store writes, read back through it and after a restart.
#include "storage/store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "core/base/limits.h"
#include "storage/tables/rows.h"
#include "tests/unit/storage/support.h"

namespace writecanary::storage {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(StoreTest, FactsAreRememberedByName) {
  const TestStore store;
  EXPECT_EQ(store->fact("self_test"), std::nullopt);
  store->remember_fact("self_test", R"({"ok":false})");
  store->remember_fact("self_test", R"({"ok":true})");
  EXPECT_EQ(store->fact("self_test"), R"({"ok":true})");
  EXPECT_EQ(store->fact("other"), std::nullopt);
}

TEST(StoreTest, ARunKeepsAllThatIsKnownOfItAtEachStep) {
  const TestStore store;
  const Reader reader = store.reader();
  const std::int64_t id = store->add_run(queued_run("data", "append-concurrent", 1'000));
  RunRow run = *reader.run(id);
  EXPECT_EQ(run.id, id);
  EXPECT_EQ(run.target, "data");
  EXPECT_EQ(run.trigger, "api");
  EXPECT_EQ(run.requested_by, "grafana");
  EXPECT_EQ(run.state, RunState::kQueued);
  EXPECT_EQ(run.verdict, std::nullopt);
  EXPECT_EQ(run.queued_at_ms, 1'000);
  EXPECT_EQ(run.started_at_ms, std::nullopt);
  EXPECT_EQ(run.result.profile, "append-concurrent");

  store->set_spec(id, R"({"run_id":"1","seed":42})");
  store->start_run(id, 2'000);
  store->set_facts(id, {"6.9.1", "#2", "aarch64"}, {"ext4", "/dev/vdb", "/data", "rw", "253:1", "uuid-1"},
                   {"none", "", "no cgroup"});
  run = *reader.run(id);
  EXPECT_EQ(run.state, RunState::kRunning);
  EXPECT_EQ(run.started_at_ms, 2'000);
  EXPECT_EQ(run.spec_json, R"({"run_id":"1","seed":42})");
  EXPECT_EQ(run.result.seed, 42U) << "the seed follows the spec";
  EXPECT_EQ(run.result.kernel.release, "6.9.1");
  EXPECT_EQ(run.result.kernel.version, "#2");
  EXPECT_EQ(run.result.kernel.machine, "aarch64");
  EXPECT_EQ(run.result.filesystem.type, "ext4");
  EXPECT_EQ(run.result.filesystem.source, "/dev/vdb");
  EXPECT_EQ(run.result.filesystem.mount_point, "/data");
  EXPECT_EQ(run.result.filesystem.options, "rw");
  EXPECT_EQ(run.result.filesystem.device, "253:1");
  EXPECT_EQ(run.result.filesystem.uuid, "uuid-1");
  EXPECT_EQ(run.result.pressure.backend, "none");
  EXPECT_EQ(run.result.pressure.reason, "no cgroup");
}

TEST(StoreTest, TheLastRunThatToldItsFilesystemIsFound) {
  TestStore store;
  EXPECT_FALSE(store->last_run_with_facts("data").has_value());
  RunResult result = result_with(Verdict::kClean, {});
  const auto first = store->add_run(queued_run("data", "append", 1'000));
  store->finish_run(first, result, 2'000);
  result.filesystem.uuid = "made anew";
  const auto second = store->add_run(queued_run("data", "append", 3'000));
  store->finish_run(second, result, 4'000);
  const auto silent = store->add_run(queued_run("data", "append", 5'000));
  store->finish_run(silent, {}, 6'000);

  EXPECT_EQ(store.reader().run(first)->result.filesystem.uuid, "2f4b6c1e-0000-4000-8000-00000000000a");
  ASSERT_TRUE(store->last_run_with_facts("data").has_value());
  EXPECT_EQ(store->last_run_with_facts("data")->id, second);
  EXPECT_EQ(store->last_run_with_facts("data")->result.filesystem.uuid, "made anew");
  EXPECT_FALSE(store->last_run_with_facts("logs").has_value());
}

TEST(StoreTest, TextIsUtf8WhateverItWas) {
  TestStore store;
  RunResult result = result_with(Verdict::kError, {});
  result.end.reason = "open /caf\xe9: no";
  const auto id = store->add_run(queued_run("data", "append", 1'000));
  store->finish_run(id, result, 2'000);
  EXPECT_EQ(store.reader().run(id)->result.end.reason, R"(open /caf\xe9: no)");
}

TEST(StoreTest, AFinishedRunKeepsItsResultAcrossARestart) {
  TestStore store;
  const RunResult result = result_with(Verdict::kCorrupt, {FindingKind::kDuplicate, FindingKind::kTorn});
  const std::int64_t id = finished_run(*store.store, result);
  store.reopen();
  const RunRow run = *store.reader().run(id);
  EXPECT_EQ(run.state, RunState::kFinished);
  EXPECT_EQ(run.verdict, Verdict::kCorrupt);
  EXPECT_EQ(run.finished_at_ms, 3'000);
  EXPECT_EQ(run.result.end.verdict, Verdict::kCorrupt);
  EXPECT_EQ(run.result.end.reason, "because");
  EXPECT_EQ(run.result.end.duration_seconds, 1.5);
  EXPECT_EQ(run.result.end.first_finding_seconds, 0.25);
  EXPECT_EQ(run.result.end.tally.count, result.end.tally.count);
  EXPECT_EQ(run.result.end.tally.bytes, result.end.tally.bytes);
  EXPECT_EQ(nlohmann::json(run.result.end.counters), nlohmann::json(result.end.counters));
  EXPECT_EQ(run.result.kernel.release, "6.1.0-18-amd64");
  EXPECT_EQ(run.result.pressure.directory, "/sys/fs/cgroup/run");
}

TEST(StoreTest, FindingsComeBackAsTheyWereFound) {
  const TestStore store;
  const std::int64_t run_id = store->add_run(queued_run());
  const RunResult result = result_with(Verdict::kCorrupt, {FindingKind::kTorn});
  const auto ids = store->finish_run(run_id, result, 3'000);
  ASSERT_THAT(ids, SizeIs(1));
  const FindingRow row = *store.reader().finding(ids[0]);
  EXPECT_EQ(row.run_id, run_id);
  EXPECT_EQ(row.target, "data");
  EXPECT_EQ(row.profile, "append");
  EXPECT_EQ(row.kernel_release, "6.1.0-18-amd64");
  EXPECT_EQ(row.fstype, "xfs");
  EXPECT_EQ(row.found_at_ms, 3'000);
  EXPECT_EQ(row.acknowledged_at_ms, std::nullopt);
  EXPECT_EQ(nlohmann::json(row.finding), nlohmann::json(result.findings[0]));
}

TEST(StoreTest, UnsignedNumbersKeepAll64Bits) {
  TestStore store;
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  RunRow run = queued_run();
  run.result.seed = kMax;
  const std::int64_t id = store->add_run(run);
  EXPECT_EQ(store.reader().run(id)->result.seed, kMax);
  store->set_spec(id, R"({"seed":18446744073709551614})");
  EXPECT_EQ(store.reader().run(id)->result.seed, kMax - 1);
  RunResult result = result_with(Verdict::kCorrupt, {FindingKind::kForeign});
  result.seed = kMax;
  result.end.counters.bytes_written = kMax;
  result.findings[0].offset_bytes = kMax;
  const auto findings = store->finish_run(id, result, 3'000);
  store.reopen();
  EXPECT_EQ(store.reader().run(id)->result.seed, kMax);
  EXPECT_EQ(store.reader().run(id)->result.end.counters.bytes_written, kMax);
  EXPECT_EQ(store->totals().at(0).counters.bytes_written, kMax);
  EXPECT_EQ(store.reader().finding(findings[0])->finding.offset_bytes, kMax);
}

TEST(StoreTest, AResultWithoutFactsLeavesTheFactsOfTheHello) {
  const TestStore store;
  const std::int64_t id = store->add_run(queued_run());
  store->set_facts(id, {"6.9.1", "#2", "aarch64"}, {"xfs", "/dev/vdb", "/data", "rw", "", ""}, {"cgroup2", "/cg", ""});
  RunResult died;
  died.end.verdict = Verdict::kError;
  died.end.reason = "the probe died without a verdict";
  store->finish_run(id, died, 3'000);
  const RunRow run = *store.reader().run(id);
  EXPECT_EQ(run.result.profile, "append");
  EXPECT_EQ(run.result.seed, 7U);
  EXPECT_EQ(run.result.kernel.release, "6.9.1");
  EXPECT_EQ(run.result.filesystem.type, "xfs");
  EXPECT_EQ(run.result.pressure.directory, "/cg");
}

TEST(StoreTest, ARunGoesThroughItsStatesOnlyForward) {
  const TestStore store;
  const std::int64_t id = store->add_run(queued_run());
  store->start_run(id, 2'000);
  EXPECT_THAT(storage_error([&] { store->start_run(id, 2'500); }),
              HasSubstr("start run 1: the run is running already"));
  store->finish_run(id, result_with(Verdict::kClean), 3'000);
  EXPECT_THAT(storage_error([&] { store->finish_run(id, result_with(Verdict::kError), 4'000); }),
              HasSubstr("finish run 1: the run is finished already"));
  EXPECT_THAT(storage_error([&] { store->set_spec(99, "{}"); }), HasSubstr("run 99: there is no such run"));
  EXPECT_EQ(store->totals().at(0).runs_by_verdict[static_cast<std::size_t>(Verdict::kClean)], 1U);
  EXPECT_EQ(store->totals().at(0).runs_by_verdict[static_cast<std::size_t>(Verdict::kError)], 0U);
}

TEST(StoreTest, AFailedTransactionLeavesNothingAndTheStoreUsable) {
  const TestStore store;
  const std::int64_t id = store->add_run(queued_run());
  const std::int64_t last_event = store->last_event_id();
  raw(store.path).exec("CREATE TRIGGER fail BEFORE INSERT ON totals BEGIN SELECT RAISE(ABORT, 'disk on fire'); END");
  const RunResult result = result_with(Verdict::kCorrupt, {FindingKind::kDuplicate});
  const std::string error = storage_error([&] { store->finish_run(id, result, 3'000); });
  EXPECT_THAT(error, HasSubstr("finish run 1: " + store.path + ": disk on fire (SQLite code"));
  EXPECT_EQ(store.reader().run(id)->state, RunState::kQueued);
  EXPECT_THAT(store.reader().findings({}), IsEmpty());
  EXPECT_THAT(store->open_incidents(), IsEmpty());
  EXPECT_EQ(store->last_event_id(), last_event);

  raw(store.path).exec("DROP TRIGGER fail");
  EXPECT_THAT(store->finish_run(id, result, 3'000), SizeIs(1));
  EXPECT_EQ(store.reader().run(id)->state, RunState::kFinished);
}

TEST(StoreTest, ADamagedDocumentIsAStorageErrorThatNamesTheFile) {
  const TestStore store;
  const std::int64_t id = finished_run(*store.store, result_with(Verdict::kClean));
  const Reader reader = store.reader();
  raw(store.path).exec("UPDATE runs SET tally = '{\"gremlin\":1}'");
  EXPECT_THAT(storage_error([&] { reader.run(id); }),
              HasSubstr("read a run: " + store.path + ": a stored document cannot be read: "));
  raw(store.path).exec("UPDATE runs SET tally = '{', verdict = 'splendid'");
  EXPECT_THAT(storage_error([&] { reader.run(id); }), HasSubstr("\"splendid\""));
}

TEST(StoreTest, PausedTargetsStayPausedAndForgottenOnesStayKnown) {
  TestStore store;
  store->sync_targets({known_target("data", "/data"), known_target("log", "/var/log")});
  store->set_paused("data", true, "alice: disk swap", 1'000);
  store.reopen();
  store->sync_targets({known_target("data", "/mnt/data")});
  const auto targets = store->targets();
  ASSERT_THAT(targets, SizeIs(2));
  EXPECT_EQ(targets[0].name, "data");
  EXPECT_EQ(targets[0].path, "/mnt/data") << "the configuration decides on the path";
  EXPECT_TRUE(targets[0].paused);
  EXPECT_EQ(targets[0].paused_note, "alice: disk swap");
  EXPECT_EQ(targets[1].name, "log");
  store->set_paused("data", false, "", 2'000);
  EXPECT_FALSE(store.reader().targets()[0].paused);
  EXPECT_THAT(storage_error([&] { store->set_paused("tape", true, "", 1); }),
              HasSubstr("pause target \"tape\": " + store.path + ": no such target"));
}

TEST(StoreTest, AcknowledgingAFindingIsThatOfItsIncident) {
  TestStore store;
  finished_run(*store.store, result_with(Verdict::kCorrupt, {FindingKind::kTorn, FindingKind::kTorn}));
  EXPECT_TRUE(store->acknowledge_finding(1, "alice", "known", 5'000));
  EXPECT_TRUE(store->acknowledge_finding(1, "bob", "mine", 6'000));
  EXPECT_FALSE(store->acknowledge_finding(99, "bob", "", 6'000));
  store.reopen();
  for (const std::int64_t id : {1, 2}) {
    const FindingRow row = *store.reader().finding(id);
    EXPECT_EQ(row.acknowledged_at_ms, 5'000);
    EXPECT_EQ(row.acknowledged_by, "alice");
    EXPECT_EQ(row.note, "known");
  }
  EXPECT_THAT(store->open_incidents(), IsEmpty());
  EXPECT_EQ(store.reader().incident(1)->known->by, "alice");
}

TEST(StoreTest, UnfinishedRunsBecomeInterrupted) {
  TestStore store;
  const std::int64_t done = finished_run(*store.store, result_with(Verdict::kClean));
  const std::int64_t queued = store->add_run(queued_run());
  const std::int64_t running = store->add_run(queued_run());
  store->start_run(running, 4'000);
  store.reopen();
  const auto left = store->interrupt_unfinished(9'000);
  ASSERT_THAT(left, SizeIs(2));
  EXPECT_EQ(left[0].id, queued);
  EXPECT_EQ(left[0].state, RunState::kQueued) << "as it was";
  EXPECT_EQ(left[1].state, RunState::kRunning);
  const RunRow run = *store.reader().run(running);
  EXPECT_EQ(run.state, RunState::kFinished);
  EXPECT_EQ(run.verdict, Verdict::kInterrupted);
  EXPECT_EQ(run.finished_at_ms, 9'000);
  EXPECT_EQ(run.result.end.reason, "the daemon ended while this run was in progress");
  EXPECT_EQ(store.reader().run(queued)->result.end.reason, "the daemon ended while this run was waiting");
  EXPECT_EQ(store.reader().run(done)->verdict, Verdict::kClean);
  EXPECT_EQ(store->totals()[0].runs_by_verdict[static_cast<std::size_t>(Verdict::kInterrupted)], 2U);
  EXPECT_THAT(store->interrupt_unfinished(9'500), IsEmpty());
}

TEST(StoreTest, TheWriterIsConfiguredForPowerLoss) {
  const TestStore store;
  EXPECT_EQ(raw(store.path).execAndGet("PRAGMA journal_mode").getString(), "wal");
  EXPECT_GT(store->size_bytes(), 4'096U);
  EXPECT_EQ(store->size_bytes(), store.reader().size_bytes());
}

}  // namespace
}  // namespace writecanary::storage
