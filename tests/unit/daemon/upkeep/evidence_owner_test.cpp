// Evidence beside a database that was lost, made anew or restored: set aside, and never removed.
#include "daemon/upkeep/evidence_owner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>

#include "core/base/fd.h"
#include "daemon/upkeep/retention.h"
#include "storage/database/backup.h"
#include "storage/store/store.h"
#include "tests/unit/temporary_directory.h"

namespace writecanary::daemon {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;

class EvidenceOwnerTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(root_);
    open();
  }
  // A daemon starts with the database that lies there, or with a fresh one.
  void open() {
    close();
    now_ += seconds{1};
    store_ = storage::Store::open(database_);
    reader_ = std::make_unique<storage::Reader>(database_);
    retention_ = std::make_unique<Retention>(*store_, *reader_, root_, now_);
    retention_->begin();
  }
  void close() {
    retention_.reset();
    reader_.reset();
    store_.reset();
  }
  void lose_the_database() {
    close();
    fs::rename(database_, database_ + ".old");
  }
  std::int64_t run(const std::string& evidence) {
    storage::RunRow row;
    row.target = "data";
    row.spec_json = "{}";
    row.result.profile = "append";
    const auto id = store_->add_run(row);
    fs::create_directories(root_ + "/" + std::to_string(id));
    directory_.write("evidence/" + std::to_string(id) + "/file", evidence);
    RunResult result;
    result.end.verdict = Verdict::kCorrupt;
    result.end.tally.add(FindingKind::kForeign, 1);
    result.findings.resize(1);  // whose evidence it is
    result.kernel.release = "6.1.0";
    result.end.counters.exposures = 1;
    store_->finish_run(id, result, to_unix_ms(now_));
    return id;
  }
  // So many runs without it that the incident is over.
  void resolve() {
    storage::RunRow row;
    row.target = "data";
    row.spec_json = "{}";
    row.result.profile = "append";
    RunResult result;
    result.end.verdict = Verdict::kClean;
    result.kernel.release = "6.1.0";
    result.end.counters.exposures = 1'000;
    for (int i = 0; i < 3; ++i) store_->finish_run(store_->add_run(row), result, to_unix_ms(now_));
  }
  std::string kept(std::int64_t id) const {
    const auto path = root_ + "/" + std::to_string(id) + "/file";
    return fs::exists(path) ? read_file(path) : "nothing";
  }
  std::string set_aside(const std::string& when, const std::string& what) const {
    return read_file(root_ + "/unknown-" + when + "/" + what);
  }
  void settle() {
    while (retention_->step(config_, {now_})) continue;
  }

  TemporaryDirectory directory_;
  Config config_;
  std::string root_ = directory_.path() + "/evidence";
  std::string database_ = directory_.path() + "/results.db";
  SystemTime now_ = from_unix_ms(1'780'000'000'000);  // 2026-05-28T20:26:40Z
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<storage::Reader> reader_;
  std::unique_ptr<Retention> retention_;
};

TEST_F(EvidenceOwnerTest, AFreshDatabaseTouchesNothingOfTheOneBefore) {
  EXPECT_EQ(run("of the first database"), 1);
  run("of the first database, too");
  const auto first = store_->id();
  settle();
  lose_the_database();
  open();
  EXPECT_NE(store_->id(), first);
  EXPECT_EQ(set_aside("20260528T202642Z", "1/file"), "of the first database");
  EXPECT_EQ(set_aside("20260528T202642Z", "2/file"), "of the first database, too");
  EXPECT_EQ(set_aside("20260528T202642Z", "database-id"), first + "\n") << "so that somebody can put it back";
  EXPECT_EQ(run("of the second"), 1) << "numbers begin anew";
  config_.evidence_bytes_max = 0;
  settle();
  EXPECT_EQ(kept(1), "nothing") << "its own evidence still has its limit";
  EXPECT_EQ(set_aside("20260528T202642Z", "1/file"), "of the first database");
  ASSERT_EQ(retention_->notices().size(), 1U);
  EXPECT_THAT(retention_->notices()[0], HasSubstr(root_ + "/unknown-20260528T202642Z"));
}

TEST_F(EvidenceOwnerTest, TheOldDatabaseComesBack) {
  run("of the first database");
  lose_the_database();
  open();
  run("of the second");
  close();
  fs::rename(database_ + ".old", database_);
  open();
  EXPECT_EQ(kept(1), "nothing") << "what lies there is of the second, although the first knows a run 1";
  EXPECT_EQ(set_aside("20260528T202643Z", "1/file"), "of the second");
  fs::rename(root_ + "/unknown-20260528T202642Z/1", root_ + "/1");
  settle();
  EXPECT_EQ(kept(1), "of the first database");
}

TEST_F(EvidenceOwnerTest, ARestoredCopyDoesNotTakeEvidenceOfRunsThatItGivesAgain) {
  run("before the copy");
  storage::back_up(database_, directory_.path() + "/copy.db");
  EXPECT_EQ(run("after the copy"), 2);
  lose_the_database();
  fs::rename(directory_.path() + "/copy.db", database_);
  open();
  EXPECT_EQ(kept(1), "before the copy");
  EXPECT_EQ(set_aside("20260528T202642Z", "2/file"), "after the copy");
  EXPECT_EQ(run("run 2 of the restored one"), 2);
  settle();
  EXPECT_EQ(kept(2), "run 2 of the restored one");
}

TEST_F(EvidenceOwnerTest, EvidenceOfAVersionThatDidNotSayWhoseItIsStays) {
  run("of a run that is known");
  fs::create_directories(root_ + "/9");
  fs::create_directories(root_ + "/notes");
  fs::remove(root_ + "/database-id");
  open();
  EXPECT_EQ(kept(1), "of a run that is known");
  EXPECT_TRUE(fs::exists(root_ + "/unknown-20260528T202642Z/9"));
  EXPECT_TRUE(fs::exists(root_ + "/notes")) << "not ours";
  EXPECT_EQ(read_file(root_ + "/database-id"), store_->id() + "\n");
}

TEST_F(EvidenceOwnerTest, TwoStartsInOneSecondDoNotShareAFolder) {
  for (const char* what : {"one", "two"}) {
    run(what);
    lose_the_database();
    now_ -= seconds{1};
    open();
  }
  EXPECT_EQ(set_aside("20260528T202641Z", "1/file"), "one");
  EXPECT_EQ(set_aside("20260528T202641Z-2", "1/file"), "two");
  EXPECT_THAT(retention_->notices(), testing::SizeIs(2));
}

TEST_F(EvidenceOwnerTest, ARunThatRetentionRemovesTakesItsEvidenceAlong) {
  run("old");
  settle();
  now_ += hours{24 * 91};
  settle();
  EXPECT_EQ(kept(1), "old") << "its incident is open";
  resolve();
  settle();
  EXPECT_EQ(reader_->run(1), std::nullopt);
  EXPECT_EQ(kept(1), "nothing");
  EXPECT_THAT(retention_->notices(), IsEmpty()) << "nothing was set aside";
}

}  // namespace
}  // namespace writecanary::daemon
