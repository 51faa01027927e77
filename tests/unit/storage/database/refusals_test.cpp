// What Store::open refuses, that it says the way out, and that the file it refuses is not changed by a single byte.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "storage/database/migrations.h"
#include "storage/database/schema.h"
#include "tests/unit/storage/support.h"

namespace writecanary::storage {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kWayOut = "Move the file away or give another storage.path; nothing was changed";

class RefusalsTest : public testing::Test {
 protected:
  // Opening is refused with an error that holds the path, the reason and the way out; the directory stays as it was,
  // but for the lock file.
  void expect_refused(const std::string& reason) {
    const std::string before = file_bytes(path_);
    const std::string error = storage_error([this] { Store::open(path_); });
    EXPECT_THAT(error, AllOf(HasSubstr("storage.path " + path_ + ": "), HasSubstr(reason), HasSubstr(kWayOut)));
    EXPECT_EQ(file_bytes(path_), before);
    EXPECT_FALSE(std::filesystem::exists(path_ + "-journal"));
  }

  TemporaryDirectory directory_;
  std::string path_ = directory_ / "results.db";
};

TEST_F(RefusalsTest, AFileThatIsNoDatabase) {
  write_file(path_, std::string(5'000, 'x'));
  expect_refused("it is not an SQLite database");
  write_file(path_, "SQLite format 3");
  expect_refused("it is not an SQLite database");
}

TEST_F(RefusalsTest, ADatabaseOfAnotherProgram) {
  raw(path_).exec("PRAGMA journal_mode = WAL; CREATE TABLE bookmarks (url TEXT)");
  expect_refused("it is the SQLite database of another program (application_id 0x00000000");
  EXPECT_FALSE(std::filesystem::exists(path_ + "-wal"));
  raw(path_).exec("PRAGMA application_id = 7");
  expect_refused("(application_id 0x00000007 instead of 0x5743616e)");
}

TEST_F(RefusalsTest, ANewerVersion) {
  Store::open(path_).reset();
  raw(path_).exec("PRAGMA user_version = 99");
  expect_refused(
      fmt::format("newer writecanary (schema version 99, this program knows up to {})", schema_steps().size()));
}

TEST_F(RefusalsTest, ANewerVersionThatStandsOnlyInTheWriteAheadLog) {
  Store::open(path_).reset();
  // A daemon that was killed leaves its log behind; the child is that daemon.
  const pid_t child = fork();
  if (child == 0) {
    SQLite::Database database = raw(path_);
    database.exec("PRAGMA wal_autocheckpoint = 0; PRAGMA user_version = 99");
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  const std::string log = file_bytes(path_ + "-wal");
  ASSERT_FALSE(log.empty());
  expect_refused(fmt::format("(schema version 99, this program knows up to {})", schema_steps().size()));
  EXPECT_EQ(file_bytes(path_ + "-wal"), log);
}

TEST_F(RefusalsTest, ADamagedDatabase) {
  {
    const auto store = Store::open(path_);
    for (int i = 0; i < 50; ++i) finished_run(*store, result_with(Verdict::kCorrupt, {FindingKind::kTorn}));
  }
  const std::string whole = file_bytes(path_);
  std::string damaged = whole;
  damaged.replace(4'096, damaged.size() - 4'096, damaged.size() - 4'096, '\x5a');
  write_file(path_, damaged);
  expect_refused("the database is damaged (");
  write_file(path_, whole.substr(0, whole.size() / 2));
  expect_refused("the database is damaged (");
  write_file(path_, whole);
  EXPECT_NO_THROW(Store::open(path_));
}

TEST_F(RefusalsTest, ASecondDaemon) {
  auto first = Store::open(path_);
  EXPECT_THAT(storage_error([this] { Store::open(path_); }),
              AllOf(HasSubstr("storage.path " + path_ + ": another writecanaryd is using it"),
                    HasSubstr(path_ + ".lock is locked"), HasSubstr("Stop that one or give another storage.path")));
  first->add_run(queued_run());
  first.reset();
  EXPECT_NO_THROW(Store::open(path_));
}

TEST_F(RefusalsTest, ADirectoryThatIsMissingOrCannotBeWritten) {
  const std::string missing = directory_ / "none/results.db";
  EXPECT_THAT(storage_error([&] { Store::open(missing); }),
              AllOf(HasSubstr(missing), HasSubstr("No such file or directory"), HasSubstr("make the directory")));
  // Not even root makes files in /proc.
  EXPECT_THAT(storage_error([] { Store::open("/proc/results.db"); }),
              AllOf(HasSubstr("/proc/results.db"), HasSubstr("must exist and be writable")));
  EXPECT_THAT(storage_error([this] { Store::open(directory_.path()); }), HasSubstr("Is a directory"));
  std::filesystem::remove(directory_.path() + ".lock");
}

TEST_F(RefusalsTest, AnEmptyFileIsANewDatabase) {
  write_file(path_, "");
  Store::open(path_)->add_run(queued_run());
  EXPECT_EQ(Store::open(path_)->last_event_id(), 1);
}

TEST_F(RefusalsTest, AReaderOfAFileThatIsNotThere) {
  EXPECT_THAT(storage_error([this] { const Reader reader(path_); }),
              HasSubstr("open the database for reading: " + path_ + ": unable to open database file"));
}

}  // namespace
}  // namespace writecanary::storage
