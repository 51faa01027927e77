#include "storage/tables/audit.h"

#include <gmock/gmock.h>

#include "tests/unit/storage/support.h"

namespace writecanary::storage {
namespace {

AuditRow asked(std::int64_t at_ms) {
  AuditRow row;
  row.at_ms = at_ms;
  row.who = "ops";
  row.address = "192.0.2.1";
  row.request_id = "r";
  row.method = "POST";
  row.path = "/x";
  return row;
}

TEST(AuditTest, AChangeThatWasBegunIsKnownBeforeItIsDone) {
  TestStore store;
  const auto id = store->add_audit(asked(1'000));
  store.reopen();
  const auto begun = store.reader().audit({});
  ASSERT_EQ(begun.size(), 1U);
  EXPECT_EQ(begun[0].outcome, std::nullopt);
  store->complete_audit(id, "refused", "busy");
  const auto done = store.reader().audit({});
  EXPECT_EQ(done[0].outcome, "refused");
  EXPECT_EQ(done[0].detail, "busy");
  EXPECT_EQ(done[0].at_ms, 1'000);
}

TEST(AuditTest, IsPagedNewestFirst) {
  const TestStore store;
  for (int i = 1; i <= 5; ++i) store->add_audit(asked(i));
  const auto first = store.reader().audit({.before_id = std::nullopt, .limit = 2});
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[0].at_ms, 5);
  EXPECT_EQ(store.reader().audit({.before_id = first[1].id, .limit = 9}).size(), 3U);
}

TEST(AuditTest, TheOldestRowsGo) {
  const TestStore store;
  store->add_audit(asked(1));
  raw(store.path).exec("UPDATE sqlite_sequence SET seq = " + std::to_string(kAuditRowsMax) + " WHERE name = 'audit'");
  store->add_audit(asked(2));
  const auto rows = store.reader().audit({});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].at_ms, 2);
}

}  // namespace
}  // namespace writecanary::storage
