// The log beside a database: replayed when it is its own, whenever the daemon died, and set aside when it is not.
#include "storage/database/write_ahead_log.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "storage/database/backup.h"
#include "storage/database/database_file.h"
#include "storage/database/migrations.h"
#include "storage/database/schema.h"
#include "tests/unit/storage/support.h"

namespace writecanary::storage {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Enough for several logs, each of a mebibyte or 256 pages: a run writes its spec three times, 25 pages each.
constexpr int kManyRuns = 20;
const std::string kSpec = std::string(100'000, ' ') + "{}";

class WriteAheadLogTest : public testing::Test {
 protected:
  // A daemon that is killed: its log stays behind.
  template <typename Body>
  void killed(const Body& body) {
    const pid_t child = fork();
    if (child == 0) {
      body(*Store::open(path_).release());
      _exit(0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ASSERT_GT(fs::file_size(log_), 0U) << "it left no log";
  }
  void killed_after(int runs) {
    killed([&](Store& store) { add_runs(store, runs); });
  }
  static void add_runs(Store& store, int runs, const std::string& spec = kSpec) {
    RunRow run = queued_run();
    run.spec_json = spec;
    for (int i = 0; i < runs; ++i) {
      const auto id = store.add_run(run);
      store.start_run(id, 2'000);
      store.finish_run(id, result_with(Verdict::kClean), 3'000);
    }
  }
  std::int64_t runs_in(const std::string& path) const {
    return raw(path).execAndGet("SELECT count(*) FROM runs").getInt64();
  }
  void expect_sound() { EXPECT_EQ(raw(path_).execAndGet("PRAGMA integrity_check").getString(), "ok"); }

  TemporaryDirectory directory_;
  std::string path_ = directory_ / "results.db";
  std::string log_ = path_ + "-wal";
  std::string copy_ = directory_ / "copy.db";
};

TEST_F(WriteAheadLogTest, AFreshDatabaseGetsNoRowsOfTheOneBefore) {
  killed_after(10);
  const auto log = file_bytes(log_);
  fs::remove(path_);
  write_file(path_ + "-journal", "of whatever");
  const auto store = Store::open(path_);
  EXPECT_EQ(runs_in(path_), 0);
  EXPECT_THAT(store->notices(), ElementsAre(HasSubstr("kept as " + log_ + ".unknown"),
                                            HasSubstr("kept as " + path_ + "-journal.unknown")));
  EXPECT_EQ(file_bytes(log_ + ".unknown"), log) << "nothing is lost";
  EXPECT_EQ(file_bytes(path_ + "-journal.unknown"), "of whatever");
  EXPECT_EQ(store->add_run(queued_run()), 1);
  expect_sound();
}

TEST_F(WriteAheadLogTest, AnotherDatabaseThatIsPutThereGetsNoneEither) {
  const auto other = directory_ / "other.db";
  add_runs(*Store::open(other), 3);
  killed_after(10);
  fs::rename(other, path_);
  EXPECT_THAT(Store::open(path_)->notices(), ElementsAre(HasSubstr(log_ + ".unknown")));
  EXPECT_EQ(runs_in(path_), 3);
  expect_sound();
  EXPECT_THAT(Store::open(path_)->notices(), IsEmpty()) << "it was said once";
}

TEST_F(WriteAheadLogTest, ARestoredCopyStaysAsItWasWhenItWasMade) {
  add_runs(*Store::open(path_), 20);
  back_up(path_, copy_);
  killed([&](Store& store) { add_runs(store, 2 * kManyRuns); });
  fs::rename(copy_, path_);
  const auto store = Store::open(path_);
  EXPECT_THAT(store->notices(), ElementsAre(HasSubstr(log_ + ".unknown")));
  EXPECT_EQ(runs_in(path_), 20);
  expect_sound();
}

TEST_F(WriteAheadLogTest, SoDoesOneThatWasMadeByTheSameDaemonWithAnEarlierLog) {
  killed([&](Store& store) {
    add_runs(store, 5);
    back_up(path_, copy_);
    add_runs(store, 2 * kManyRuns);
  });
  fs::rename(copy_, path_);
  EXPECT_THAT(Store::open(path_)->notices(), ElementsAre(HasSubstr(log_ + ".unknown")));
  EXPECT_EQ(runs_in(path_), 5);
  expect_sound();
}

TEST_F(WriteAheadLogTest, ACopyThatWasMadeWithinThisLogGoesOnFromIt) {
  killed([&](Store& store) {
    add_runs(store, 1, "{}");
    back_up(path_, copy_);
    add_runs(store, 1, "{}");
  });
  fs::rename(copy_, path_);
  EXPECT_THAT(Store::open(path_)->notices(), IsEmpty());
  EXPECT_EQ(runs_in(path_), 2) << "the log has all that came since";
  expect_sound();
}

TEST_F(WriteAheadLogTest, ItsOwnLogIsReplayedWheneverTheDaemonDied) {
  std::int64_t expected = 0;
  for (const int runs : {1, 5, kManyRuns, 7, kManyRuns + 9, 2}) {
    killed_after(runs);
    expected += runs;
    EXPECT_THAT(Store::open(path_)->notices(), IsEmpty());
    EXPECT_EQ(runs_in(path_), expected);
  }
  expect_sound();
}

TEST_F(WriteAheadLogTest, AlsoWhenAReaderKeptItFromBeginningAnew) {
  killed([&](Store& store) {
    add_runs(store, kManyRuns / 2);
    SQLite::Database reader(path_, SQLite::OPEN_READONLY);
    SQLite::Transaction snapshot(reader);
    reader.execAndGet("SELECT count(*) FROM runs");
    add_runs(store, 2 * kManyRuns);
  });
  EXPECT_THAT(Store::open(path_)->notices(), IsEmpty());
  EXPECT_EQ(runs_in(path_), kManyRuns / 2 + 2 * kManyRuns);
  expect_sound();
}

TEST_F(WriteAheadLogTest, AlsoWhenItGaveSpaceBackMeanwhile) {
  for (int round = 1; round <= 3; ++round) {
    killed([&](Store& store) {
      add_runs(store, kManyRuns);
      remove_runs_before(store, 90'000, 1000);
      while (store.give_space_back()) continue;
      add_runs(store, round);
      store.give_space_back();
    });
    EXPECT_THAT(Store::open(path_)->notices(), IsEmpty());
    EXPECT_EQ(runs_in(path_), round);
  }
  expect_sound();
}

TEST_F(WriteAheadLogTest, ALogOfTheVersionBeforeStampsIsReplayed) {
  const pid_t child = fork();
  if (child == 0) {
    SQLite::Database database = raw(path_);
    database.exec(fmt::format("PRAGMA application_id = {}; PRAGMA journal_mode = WAL", kApplicationId));
    migrate(database, schema_steps().first(6));
    database.exec("INSERT INTO facts VALUES ('here', 'true')");
    _exit(0);
  }
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  ASSERT_GT(fs::file_size(log_), 0U);
  // The next daemon dies as soon as it has brought it to this version.
  killed([](Store&) {});
  const auto store = Store::open(path_);
  EXPECT_THAT(store->notices(), IsEmpty());
  EXPECT_EQ(store->fact("here"), "true");
  expect_sound();
}

TEST_F(WriteAheadLogTest, ACopyIsNotMadeWithTheLogOfAnother) {
  const auto other = directory_ / "other.db";
  add_runs(*Store::open(other), 3);
  killed_after(10);
  fs::rename(other, path_);
  EXPECT_THAT(storage_error([this] { back_up(path_, copy_); }), HasSubstr(log_ + " is of another database"));
  EXPECT_FALSE(fs::exists(copy_));
}

TEST(LogBelongs, FollowsTheStamps) {
  const LogStamp old{"a", "1", "2"};
  EXPECT_TRUE(log_belongs(old, LogStamp{"a", "2", "3"})) << "all before this log is in the file";
  EXPECT_TRUE(log_belongs(old, LogStamp{"a", "1", "9"})) << "a part of this log is in the file";
  EXPECT_TRUE(log_belongs(old, old)) << "all of it";
  EXPECT_FALSE(log_belongs(old, LogStamp{"a", "8", "9"})) << "there was a log between";
  EXPECT_FALSE(log_belongs(old, LogStamp{"b", "2", "3"}));
  EXPECT_FALSE(log_belongs(old, std::nullopt)) << "the log is of a version before";
  EXPECT_TRUE(log_belongs(std::nullopt, std::nullopt));
  EXPECT_TRUE(log_belongs(std::nullopt, LogStamp{"a", kFirstLog, "1"})) << "it has the migration";
  EXPECT_FALSE(log_belongs(std::nullopt, LogStamp{"a", "1", "2"}));
}

}  // namespace
}  // namespace writecanary::storage
