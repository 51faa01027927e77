#include "storage/tables/audit.h"

#include <gmock/gmock.h>

#include <map>

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

// So many rows of one kind as if they had been recorded one by one.
void fill(const TestStore& store, std::int64_t count, const std::string& outcome) {
  raw(store.path)
      .exec("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + std::to_string(count) +
            ") INSERT INTO audit (at_ms, who, address, request_id, method, path, outcome) SELECT i, 'x', 'x', "
            "'x', 'POST', '/x', '" +
            outcome + "' FROM n");
}

std::map<std::string, std::int64_t> rows_by_outcome(const TestStore& store) {
  std::map<std::string, std::int64_t> counts;
  for (const auto& row : store.reader().audit({.before_id = std::nullopt, .limit = 100'000})) {
    ++counts[row.outcome.value_or("begun")];
  }
  return counts;
}

TEST(AuditTest, TheOldestRowsGo) {
  const TestStore store;
  fill(store, kAuditRowsMax + 500, "done");
  for (int i = 0; i < 64; ++i) store->add_audit(asked(1'000'000 + i));
  const auto rows = store.reader().audit({.before_id = std::nullopt, .limit = 100'000});
  EXPECT_GE(rows.size(), static_cast<std::size_t>(kAuditRowsMax));
  EXPECT_LE(rows.size(), static_cast<std::size_t>(kAuditRowsMax + 64));
  EXPECT_EQ(rows.front().at_ms, 1'000'063);
  EXPECT_GE(rows.back().at_ms, 500);
}

TEST(AuditTest, RefusalsDoNotPushChangesOut) {
  const TestStore store;
  fill(store, 10, "done");
  fill(store, kAuditRowsMax + kAuditRefusalsMax, "refused");
  AuditRow refused = asked(1'000'000);
  refused.outcome = "refused";
  for (int i = 0; i < 64; ++i) store->add_audit(refused);
  auto counts = rows_by_outcome(store);
  EXPECT_EQ(counts["done"], 10);
  EXPECT_GE(counts["refused"], kAuditRefusalsMax);
  EXPECT_LE(counts["refused"], kAuditRefusalsMax + 64);
}

}  // namespace
}  // namespace writecanary::storage
