// The believed time over the life of a database: what it remembers, and what goes by it.
#include "daemon/clock/clock_watch.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>

#include "daemon/upkeep/retention.h"
#include "tests/unit/daemon/desk_fixture.h"

namespace writecanary::daemon {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::HasSubstr;
using testing::SizeIs;

constexpr hours kAYear{24 * 365};

class ClockWatchTest : public DeskTest {
 protected:
  void keep_in_order() {
    watch_->look();
    Retention retention(*store_, *reader_, config_.evidence_root(), clock_.now());
    while (retention.step(config_, {watch_->believed(), !watch_->suspect(), clock_.steady()})) continue;
  }
  bool kept(std::int64_t id) const { return reader_->run(id).has_value(); }
};

TEST_F(ClockWatchTest, AClockThatIsAYearAheadMakesNoHistoryOld) {
  const auto id = started("a");
  until_settled();
  clock_.now_ += kAYear;
  keep_in_order();
  EXPECT_TRUE(watch_->suspect());
  EXPECT_TRUE(kept(id));
  ASSERT_THAT(watch_->notices(), SizeIs(1));
  EXPECT_THAT(watch_->notices()[0], HasSubstr("by the time that went by it is 2026-06-01T12:00:0"));
  clock_.now_ -= kAYear;
  keep_in_order();
  EXPECT_FALSE(watch_->suspect());
  EXPECT_THAT(watch_->notices(), SizeIs(0));
  clock_.pass(kAYear);
  keep_in_order();
  EXPECT_FALSE(kept(id)) << "a year that went by does";
}

TEST_F(ClockWatchTest, NeitherDoesOneThatWasStartedWithIt) {
  const auto id = started("a");
  until_settled();
  clock_.now_ += kAYear;
  started("a");  // carries that time
  until_settled();
  open(kGood);
  keep_in_order();
  EXPECT_TRUE(watch_->suspect()) << "the database remembers the last time that was believed";
  EXPECT_TRUE(kept(id));
}

TEST_F(ClockWatchTest, ADatabaseThatRemembersNoClockGoesByItsNewestRun) {
  const auto id = started("a");
  until_settled();
  SQLite::Database(config_.storage_path, SQLite::OPEN_READWRITE).exec("DELETE FROM facts WHERE name = 'clock'");
  clock_.now_ += kAYear;
  open(kGood);
  keep_in_order();
  EXPECT_TRUE(watch_->suspect());
  EXPECT_TRUE(kept(id));
}

TEST_F(ClockWatchTest, TooMuchStillGoes) {
  for (int i = 0; i < 5; ++i) {
    started("a");
    until_settled();
  }
  clock_.pass(hours{3});
  const auto last = started("a");
  until_settled();
  config_.runs_max = 2;
  clock_.now_ += kAYear;
  keep_in_order();
  EXPECT_TRUE(watch_->suspect());
  EXPECT_THAT(reader_->runs({}), SizeIs(1));
  EXPECT_TRUE(kept(last)) << "what is younger than an hour by the time that is believed";
}

TEST_F(ClockWatchTest, ARunThatWasMadeWhileTheClockWasBehindIsNotOld) {
  started("a");
  until_settled();
  clock_.pass(hours{30});
  started("a");
  until_settled();
  clock_.now_ -= kAYear;
  const auto behind = started("a");
  until_settled();
  clock_.now_ += kAYear;
  clock_.pass(hours{1});
  keep_in_order();
  EXPECT_FALSE(watch_->suspect());
  EXPECT_TRUE(kept(behind));
}

TEST_F(ClockWatchTest, KeysDoNotExpireByIt) {
  const auto first = start("a", false, "key-1");
  until_settled();
  clock_.now_ += kAYear;
  watch_->look();
  start("a", false, "key-2");
  until_settled();
  EXPECT_TRUE(std::get<api::Accepted>(start("a", false, "key-1")).replayed);
  clock_.now_ -= kAYear;
  watch_->look();
  EXPECT_TRUE(std::get<api::Accepted>(start("a", false, "key-2")).replayed);
  clock_.pass(hours{25});
  watch_->look();
  EXPECT_FALSE(std::get<api::Accepted>(start("a", false, "key-1")).replayed) << "a day that went by ends them";
  until_settled();
}

TEST_F(ClockWatchTest, TheBudgetOfADayIsNotGivenTwice) {
  config_.targets[0].settings.bytes_per_day_max = 1500;
  desk_->configure(config_);
  desk_->set_mounts(mounts_);
  started("a");
  until_settled();
  for (const auto step : {kAYear, -2 * kAYear}) {
    clock_.now_ += step;
    watch_->look();
    desk_->pass();
    EXPECT_EQ(desk_->find("a")->bytes_today, 1000U);
  }
  started("a");  // carries a time of last year
  until_settled();
  EXPECT_EQ(desk_->find("a")->bytes_today, 2000U);
  desk_->configure(config_);
  EXPECT_EQ(desk_->find("a")->bytes_today, 2000U) << "also after a reload";
  EXPECT_EQ(refused(start("a")), "budget-spent");
}

}  // namespace
}  // namespace writecanary::daemon
