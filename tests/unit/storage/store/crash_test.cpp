// A daemon that dies at any moment: what it reported is there, what it did not finish is not, and the sums agree.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <numeric>

#include "storage/tables/totals.h"
#include "tests/unit/storage/support.h"

namespace writecanary::storage {
namespace {

using testing::SizeIs;

// Runs the body in a child process, which must not come back from it. Returns its wait status.
int in_child(const std::function<void()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    body();
    _exit(1);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return status;
}

// An SQL function that ends the process; a trigger calls it in the middle of a transaction.
int add_die(sqlite3* database, char**, const struct sqlite3_api_routines*) {
  return sqlite3_create_function(
      database, "die", 0, SQLITE_UTF8 | SQLITE_INNOCUOUS, nullptr,
      [](sqlite3_context*, int, sqlite3_value**) { _exit(9); }, nullptr, nullptr);
}

TEST(CrashTest, ATransactionCutShortNeverWas) {
  TestStore store;
  const std::int64_t kept = finished_run(*store.store, result_with(Verdict::kCorrupt, {FindingKind::kTorn}));
  const std::int64_t cut = store->add_run(queued_run());
  store->start_run(cut, 5'000);
  const std::int64_t last_event = store->last_event_id();
  store.store.reset();
  const int status = in_child([&] {
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(add_die));
    raw(store.path).exec("CREATE TRIGGER cut BEFORE INSERT ON totals BEGIN SELECT die(); END");
    Store::open(store.path)->finish_run(cut, result_with(Verdict::kCorrupt, {FindingKind::kStale}), 6'000);
  });
  ASSERT_TRUE(WIFEXITED(status));
  ASSERT_EQ(WEXITSTATUS(status), 9) << "the child died in the transaction, not after it";
  raw(store.path).exec("DROP TRIGGER cut");

  store.store = Store::open(store.path);
  EXPECT_EQ(store->last_event_id(), last_event);
  EXPECT_EQ(store.reader().run(kept)->verdict, Verdict::kCorrupt);
  EXPECT_EQ(store.reader().run(cut)->state, RunState::kRunning);
  EXPECT_THAT(store.reader().findings({}), SizeIs(1));
  ASSERT_THAT(store->interrupt_unfinished(9'000), SizeIs(1));
  EXPECT_EQ(store.reader().run(cut)->verdict, Verdict::kInterrupted);
}

TEST(CrashTest, WhatWasReportedSurvivesAKillAndTheSumsAgree) {
  TestStore store;
  store.store.reset();
  std::array<int, 2> pipe_ends{};
  ASSERT_EQ(pipe(pipe_ends.data()), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto writer = Store::open(store.path);
    for (;;) {
      const std::int64_t id = finished_run(*writer, result_with(Verdict::kCorrupt, {FindingKind::kTorn}));
      if (write(pipe_ends[1], &id, sizeof id) != sizeof id) _exit(1);
    }
  }
  close(pipe_ends[1]);
  std::int64_t reported = 0;
  while (reported < 25) ASSERT_EQ(read(pipe_ends[0], &reported, sizeof reported), sizeof reported);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  while (read(pipe_ends[0], &reported, sizeof reported) == sizeof reported) {
  }
  close(pipe_ends[0]);

  store.store = Store::open(store.path);
  const Reader reader = store.reader();
  for (std::int64_t id = 1; id <= reported; ++id) {
    ASSERT_TRUE(reader.run(id).has_value()) << id;
    EXPECT_EQ(reader.run(id)->verdict, Verdict::kCorrupt) << id;
  }
  store->interrupt_unfinished(9'000);
  SQLite::Database database = raw(store.path);
  const TotalsRow totals = store->totals().at(0);
  EXPECT_EQ(std::accumulate(totals.runs_by_verdict.begin(), totals.runs_by_verdict.end(), std::uint64_t{0}),
            std::uint64_t(database.execAndGet("SELECT count(*) FROM runs").getInt64()));
  const auto incidents = store->open_incidents();
  ASSERT_THAT(incidents, SizeIs(1));
  EXPECT_EQ(incidents[0].findings, totals.tally.count_of(FindingKind::kTorn));
  EXPECT_EQ(incidents[0].runs_with, totals.runs_by_verdict[static_cast<std::size_t>(Verdict::kCorrupt)]);
  EXPECT_EQ(database.execAndGet("SELECT count(*) FROM findings").getInt64(), kFirstFindingsKept + kLatestFindingsKept);
  EXPECT_EQ(database.execAndGet("PRAGMA integrity_check").getString(), "ok");
}

// Lets the process die in a commit of the connection that it is installed on, with a page cache so small that most of
// the transaction has reached the file by then.
int commits_to_live = 0;
int add_mortality(sqlite3* database, char**, const struct sqlite3_api_routines*) {
  const auto count_down = [](void*) {
    if (commits_to_live-- == 0) _exit(9);
    return 0;
  };
  sqlite3_commit_hook(database, count_down, nullptr);
  return sqlite3_exec(database, "PRAGMA cache_size = 1", nullptr, nullptr, nullptr);
}

TEST(CrashTest, DyingWhileTheDatabaseIsMadeLeavesOneThatCanBeMade) {
  int deaths = 0;
  for (bool opened = false; !opened; ++deaths) {
    const TemporaryDirectory directory;
    const std::string path = directory / "results.db";
    const int status = in_child([&] {
      sqlite3_auto_extension(reinterpret_cast<void (*)()>(add_mortality));
      commits_to_live = deaths;
      Store::open(path);
      _exit(0);
    });
    ASSERT_TRUE(WIFEXITED(status));
    opened = WEXITSTATUS(status) == 0;
    EXPECT_EQ(Store::open(path)->add_run(queued_run()), 1) << "after death in commit " << deaths;
    EXPECT_EQ(raw(path).execAndGet("PRAGMA integrity_check").getString(), "ok");
  }
  EXPECT_GT(deaths, 1) << "no commit to die in";
}

}  // namespace
}  // namespace writecanary::storage
