// Migrations: each step at most once, and whole or not at all.
#include "storage/database/migrations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "storage/database/schema.h"
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
  SQLite::Database database_ = raw(directory_.file("results.db"));
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
