// Migrations: each step at most once, and whole or not at all.
#include "storage/database/migrations.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "storage/database/schema.h"
#include "storage/database/schema_violations.h"
#include "storage/tables/incidents.h"
#include "storage/tables/rows.h"
#include "tests/unit/storage/support.h"

namespace writecanary::storage {
namespace {

constexpr const char* kOne = "CREATE TABLE one (x INTEGER) STRICT; INSERT INTO one VALUES (1)";
constexpr const char* kTwo = "CREATE TABLE two (y INTEGER) STRICT; INSERT INTO two SELECT x FROM one";
constexpr const char* kBroken = "CREATE TABLE two (y INTEGER) STRICT; INSERT INTO nowhere VALUES (1)";

// A run as the first version stored it; the parameter is when it was queued.
constexpr const char* kRunOfVersion1 =
    "INSERT INTO runs (target, profile, trigger, requested_by, state, queued_at_ms, spec, seed, pressure_backend, "
    "pressure_directory, pressure_reason, reason, duration_seconds, writes, inline_writes, punted, partial, exposures, "
    "short_results, cqe_enomem, bytes_written, bytes_verified, files, limit_hits, oom_kills, tally) VALUES ('data', "
    "'append', 'api', '', 'queued', ?, '{}', 7, '', '', '', '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{}')";

class MigrationsTest : public testing::Test {
 protected:
  int version() { return database_.execAndGet("PRAGMA user_version").getInt(); }

  TemporaryDirectory directory_;
  SQLite::Database database_ = raw(directory_ / "results.db");
};

TEST_F(MigrationsTest, StepsRunInOrderAndOnlyOnce) {
  migrate(database_, std::array{kOne});
  EXPECT_EQ(version(), 1);
  migrate(database_, std::array{kOne, kTwo});
  EXPECT_EQ(version(), 2);
  migrate(database_, std::array{kOne, kTwo});
  EXPECT_EQ(database_.execAndGet("SELECT count(*) FROM one").getInt(), 1);
  EXPECT_EQ(database_.execAndGet("SELECT y FROM two").getInt(), 1);
}

TEST_F(MigrationsTest, AStepThatFailsLeavesTheVersionBeforeIt) {
  EXPECT_THROW(migrate(database_, std::array{kOne, kBroken}), SQLite::Exception);
  EXPECT_EQ(version(), 1);
  EXPECT_FALSE(database_.tableExists("two"));
  migrate(database_, std::array{kOne, kTwo});
  EXPECT_EQ(version(), 2);
}

TEST_F(MigrationsTest, RunsOfAnOlderFileKeepTheirHours) {
  migrate(database_, schema_steps().first(5));
  const std::int64_t hour_ms = 3'600'000;
  for (const std::int64_t at_ms : {7 * hour_ms, 9 * hour_ms, 8 * hour_ms, 9 * hour_ms + 1}) {
    SQLite::Statement insert(database_, kRunOfVersion1);
    insert.bind(1, at_ms);
    insert.exec();
  }
  migrate(database_, schema_steps());
  insert_run(database_, queued_run("data", "append", 8 * hour_ms + 5));
  EXPECT_EQ(database_.execAndGet("SELECT group_concat(hour || ': ' || first_id || '-' || last_id, ', ') FROM run_hours")
                .getString(),
            "7: 1-1, 8: 3-5, 9: 2-4");
  const auto before = find_run(database_, 2);
  ASSERT_TRUE(before.has_value());
  EXPECT_EQ(before->queued_at_ms, 9 * hour_ms);
  EXPECT_EQ(before->result.filesystem.uuid, "");
}

TEST_F(MigrationsTest, KeysOfAnOlderFileHoldForEveryone) {
  migrate(database_, schema_steps().first(6));
  SQLite::Statement insert(database_, kRunOfVersion1);
  insert.bind(1, std::int64_t{1'000});
  insert.exec();
  database_.exec("INSERT INTO idempotency_keys VALUES ('k', 1, 1000)");
  migrate(database_, schema_steps());
  EXPECT_EQ(database_.execAndGet("SELECT caller || ',' || key || ',' || request || ',' || run_id FROM request_keys")
                .getString(),
            ",k,,1");
}

// A file of the version before differs from one of this by its verdicts alone.
class ViolationsTest : public testing::Test {
 protected:
  using Kinds = std::initializer_list<FindingKind>;
  std::int64_t corrupt(Kinds kinds, const std::string& target, std::int64_t at_ms) {
    return finished_run(*store_.store, result_with(Verdict::kCorrupt, kinds), target, "append", at_ms);
  }
  void upgrade() {
    store_.store.reset();
    raw(store_.path).exec(kSchemaViolations);
    store_.store = Store::open(store_.path);
  }
  std::uint64_t runs_with(const TotalsRow& row, Verdict verdict) {
    return row.runs_by_verdict[static_cast<std::size_t>(verdict)];
  }

  TestStore store_;
};

TEST_F(ViolationsTest, RunsWhoseBytesWereAllRightAreNoLongerCorrupt) {
  const auto torn = corrupt({FindingKind::kTorn, FindingKind::kTorn}, "data", 3'000);
  const auto broken = corrupt({FindingKind::kNowaitContract}, "data", 4'000);
  const auto clean = finished_run(*store_.store, result_with(Verdict::kClean), "data", "append", 5'000);
  const auto before = store_->totals()[0];
  upgrade();
  EXPECT_EQ(store_.reader().run(torn)->verdict, Verdict::kViolation);
  EXPECT_EQ(store_.reader().run(broken)->verdict, Verdict::kViolation);
  EXPECT_EQ(store_.reader().run(clean)->verdict, Verdict::kClean);
  const auto after = store_->totals()[0];
  EXPECT_EQ(runs_with(after, Verdict::kViolation), 2U);
  EXPECT_EQ(runs_with(after, Verdict::kCorrupt), 0U);
  EXPECT_EQ(after.tally.count, before.tally.count);
  EXPECT_EQ(after.last_run_id, clean);
}

TEST_F(ViolationsTest, AMixedSumIsTakenApart) {
  const auto first = corrupt({FindingKind::kTorn}, "data", 3'000);
  const auto both = corrupt({FindingKind::kTorn, FindingKind::kDuplicate}, "data", 4'000);
  const auto last = corrupt({FindingKind::kTorn}, "data", 5'000);
  const auto before = store_->totals()[0];
  const auto kernels = store_.reader().kernels();
  upgrade();
  EXPECT_EQ(store_.reader().run(first)->verdict, Verdict::kViolation);
  EXPECT_EQ(store_.reader().run(both)->verdict, Verdict::kCorrupt);
  const auto after = store_->totals()[0];
  EXPECT_EQ(runs_with(after, Verdict::kViolation), 2U);
  EXPECT_EQ(runs_with(after, Verdict::kCorrupt), 1U);
  EXPECT_EQ(after.tally.count, before.tally.count);
  EXPECT_EQ(after.tally.bytes, before.tally.bytes);
  EXPECT_EQ(after.counters.exposures, before.counters.exposures);
  EXPECT_EQ(after.counters.oom_kills, before.counters.oom_kills);
  EXPECT_EQ(after.counters.disarmed, before.counters.disarmed);
  EXPECT_EQ(after.last_run_id, last);
  EXPECT_EQ(after.last_verdict, Verdict::kViolation);
  EXPECT_EQ(after.last_run_ms, 5'000);
  EXPECT_EQ(store_.reader().kernels()[0].last_seen_ms, kernels[0].last_seen_ms);

  auto database = raw(store_.path);
  EXPECT_EQ(database
                .execAndGet("SELECT tally ->> '$.torn.count' || ',' || (tally ->> '$.duplicate.count') || ',' || "
                            "last_run_id FROM totals WHERE verdict = 'corrupt'")
                .getString(),
            fmt::format("1,1,{}", both));
  EXPECT_EQ(database
                .execAndGet("SELECT tally ->> '$.torn.count' || ',' || last_run_id FROM totals WHERE verdict = "
                            "'violation'")
                .getString(),
            fmt::format("2,{}", last));
  // The next run of each goes on from there.
  corrupt({FindingKind::kDuplicate}, "data", 6'000);
  EXPECT_EQ(runs_with(store_->totals()[0], Verdict::kCorrupt), 2U);
}

TEST_F(ViolationsTest, RunsThatAreGoneStayInTheSumTheyWereIn) {
  const auto gone = corrupt({FindingKind::kTorn}, "data", 3'000);
  const auto also_gone = corrupt({FindingKind::kStale}, "data", 4'000);
  corrupt({FindingKind::kTorn}, "data", 5'000);
  corrupt({FindingKind::kTorn}, "log", 6'000);
  store_.store.reset();
  raw(store_.path)
      .exec(fmt::format("PRAGMA foreign_keys = ON; DELETE FROM runs WHERE id IN ({}, {})", gone, also_gone));
  upgrade();
  const auto totals = store_->totals();
  EXPECT_EQ(runs_with(totals[0], Verdict::kCorrupt), 2U) << "which of the two was which is not known any more";
  EXPECT_EQ(runs_with(totals[0], Verdict::kViolation), 1U);
  EXPECT_EQ(totals[0].tally.count_of(FindingKind::kTorn), 2U);
  EXPECT_EQ(totals[0].last_verdict, Verdict::kViolation);
  EXPECT_EQ(runs_with(totals[1], Verdict::kViolation), 1U);
}

// Findings of the first version, of one run with the id given: so many, of which so many are acknowledged.
void add_findings(SQLite::Database& database, int run, const std::string& kind, int count, int acknowledged) {
  for (int i = 0; i < count; ++i) {
    SQLite::Statement insert(database,
                             "INSERT INTO findings (run_id, target, profile, kernel_release, fstype, kind, "
                             "found_at_ms, acknowledged_at_ms, acknowledged_by, note, document) VALUES (?, 'data', "
                             "'append', '6.1', 'xfs', ?, ?, ?, 'alice', 'known', '{}')");
    insert.bind(1, run);
    insert.bind(2, kind);
    insert.bind(3, std::int64_t{run} * 1'000);
    if (i < acknowledged) insert.bind(4, std::int64_t{9'000});
    insert.exec();
  }
}

TEST_F(MigrationsTest, FindingsOfAnOlderFileBecomeIncidents) {
  migrate(database_, schema_steps().first(9));
  for (int i = 0; i < 3; ++i) {
    SQLite::Statement insert(database_, kRunOfVersion1);
    insert.bind(1, std::int64_t{1'000});
    insert.exec();
  }
  add_findings(database_, 1, "torn", 20, 20);
  add_findings(database_, 2, "torn", 20, 3);
  add_findings(database_, 3, "duplicate", 2, 2);
  database_.exec("INSERT INTO events (at_ms, type, run_id, finding_id, target) VALUES (1, 'finding', 1, 1, 'data')");
  const auto total = [&](const char* verdict, int runs, int exposures, const char* tally) {
    SQLite::Statement insert(
        database_,
        "INSERT INTO totals VALUES ('data', 'append', '6.1', ?, ?, 0, 0, 0, 0, ?, 0, 0, 0, 0, 0, 0, "
        "0, ?, 1, 2, 3, 4, 5, 0, 0)");
    insert.bind(1, verdict);
    insert.bind(2, runs);
    insert.bind(3, exposures);
    insert.bind(4, tally);
    insert.exec();
  };
  total("corrupt", 3, 300, R"({"torn": {"count": 4000, "bytes": 1}, "duplicate": {"count": 2, "bytes": 1}})");
  total("clean", 7, 700, "{}");
  total("error", 5, 0, "{}");
  migrate(database_, schema_steps());
  EXPECT_FALSE(database_.tableExists("open_findings"));
  EXPECT_EQ(database_.execAndGet("SELECT count(*) FROM events").getInt(), 0);
  EXPECT_EQ(database_.execAndGet("SELECT count(*) FROM findings WHERE incident_id IS NULL").getInt(), 0);
  const auto torn = find_incident(database_, 1);
  ASSERT_TRUE(torn);
  EXPECT_EQ(torn->kind, FindingKind::kTorn);
  EXPECT_EQ(torn->state, IncidentState::kOpen) << "some are not acknowledged";
  EXPECT_EQ(torn->findings, 4'000U) << "also those that were never kept";
  EXPECT_EQ(torn->runs_with, 2U);
  EXPECT_EQ(torn->runs, 10U);
  EXPECT_EQ(torn->exposures, 1'000U);
  EXPECT_EQ(torn->first_seen_ms, 1'000);
  EXPECT_EQ(torn->last_seen_ms, 2'000);
  const auto duplicate = find_incident(database_, 2);
  ASSERT_TRUE(duplicate);
  EXPECT_EQ(duplicate->state, IncidentState::kKnown);
  EXPECT_EQ(duplicate->known->note, "known");
  EXPECT_EQ(duplicate->known_findings, 2U);
  EXPECT_EQ(database_.execAndGet("SELECT class FROM incidents WHERE id = 2").getString(), "corruption");
}

TEST_F(MigrationsTest, EveryTableOfTheSchemaIsStrictAndWhole) {
  migrate(database_, schema_steps());
  EXPECT_EQ(database_
                .execAndGet("SELECT group_concat(name) FROM pragma_table_list WHERE schema = 'main' AND NOT "
                            "strict AND name NOT LIKE 'sqlite_%'")
                .getString(),
            "");
  EXPECT_EQ(database_.execAndGet("PRAGMA integrity_check").getString(), "ok");
  EXPECT_EQ(database_
                .execAndGet("SELECT group_concat(idx) FROM sqlite_stat1 WHERE idx NOT IN (SELECT name FROM "
                            "sqlite_schema WHERE type = 'index')")
                .getString(),
            "")
      << "a statistic for an index that does not exist";
}

}  // namespace
}  // namespace writecanary::storage
