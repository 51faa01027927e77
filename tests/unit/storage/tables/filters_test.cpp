// Listings: every filter against a plain loop over the same rows, pages that hold still, and plans without a scan.
#include "storage/tables/filters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <random>

#include "storage/tables/rows.h"
#include "storage/tables/run_end.h"
#include "tests/unit/storage/support.h"

namespace writecanary::storage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Random = std::mt19937;

template <typename T>
T pick(Random& random, std::initializer_list<T> choices) {
  return choices.begin()[random() % choices.size()];
}

template <typename T>
std::optional<T> maybe(Random& random, std::initializer_list<T> choices) {
  if (random() % 3 != 0) return std::nullopt;
  return pick(random, choices);
}

const std::initializer_list<std::string> kTargets = {"data", "log", "tape"};
const std::initializer_list<std::string> kProfiles = {"append", "offset"};
const std::initializer_list<std::string> kKernels = {"6.1", "6.9", "6.12"};
const std::initializer_list<Verdict> kVerdicts = {Verdict::kClean, Verdict::kCorrupt, Verdict::kStuck};
const std::initializer_list<FindingKind> kKinds = {FindingKind::kTorn, FindingKind::kDuplicate, FindingKind::kStale};
constexpr int kRows = 2'000;
constexpr std::int64_t kFirstMs = 1'760'000'000'000;
// Between two runs, so that the rows spread over some hundred hours.
constexpr std::int64_t kStepMs = 10LL * 60'000;

// A store with random rows, and the same rows in memory, newest first. The clock steps back now and then.
class FiltersTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    store_ = new TestStore;
    // Filling is not what is tested; without waiting for the disk it takes a second instead of a minute.
    SQLite::Database database = raw(store_->path);
    database.exec("PRAGMA synchronous = OFF; BEGIN");
    Random random(1);
    std::int64_t now_ms = kFirstMs;
    for (int i = 0; i < kRows; ++i) {
      now_ms += random() % 50 == 0 ? -20 * kStepMs : kStepMs;
      insert(database, random, now_ms);
    }
    database.exec("COMMIT");
    reader_ = new Reader(store_->path);
    RunFilter all_runs;
    all_runs.limit = 10 * kRows;
    runs_ = reader_->runs(all_runs);
    FindingFilter all_findings;
    all_findings.limit = 10 * kRows;
    findings_ = reader_->findings(all_findings);
    ASSERT_EQ(runs_.size(), std::size_t{kRows});
    ASSERT_GT(findings_.size(), std::size_t{kRows / 10});
  }

  static void TearDownTestSuite() {
    delete reader_;
    delete store_;
    runs_.clear();
    findings_.clear();
  }

  static void insert(SQLite::Database& database, Random& random, std::int64_t now_ms);

  static std::int64_t random_time(Random& random) {
    return kFirstMs + std::int64_t(random() % (std::uint64_t{kRows} * kStepMs * 7 / 10));
  }

  static TestStore* store_;
  static Reader* reader_;
  static std::vector<RunRow> runs_;
  static std::vector<FindingRow> findings_;
};

TestStore* FiltersTest::store_;
Reader* FiltersTest::reader_;
std::vector<RunRow> FiltersTest::runs_;
std::vector<FindingRow> FiltersTest::findings_;

void FiltersTest::insert(SQLite::Database& database, Random& random, std::int64_t now_ms) {
  RunRow run = queued_run(pick(random, kTargets), pick(random, kProfiles), now_ms);
  if (random() % 10 == 0) {
    insert_run(database, run);
    return;
  }
  run.id = insert_run(database, run);
  run.state = RunState::kFinished;
  run.verdict = pick(random, kVerdicts);
  run.started_at_ms = now_ms;
  run.finished_at_ms = now_ms + 500;
  run.result.kernel.release = pick(random, kKernels);
  std::vector<Finding> findings;
  if (run.verdict == Verdict::kCorrupt) findings.assign(1 + random() % 3, full_finding(pick(random, kKinds)));
  for (const std::int64_t id : end_run(database, run, findings)) {
    if (random() % 2 == 0) continue;
    database.exec("UPDATE findings SET acknowledged_at_ms = 1 WHERE id = " + std::to_string(id));
  }
}

RunFilter random_run_filter(Random& random, std::int64_t since_ms, std::int64_t until_ms) {
  RunFilter filter;
  filter.target = maybe(random, kTargets);
  filter.profile = maybe(random, kProfiles);
  filter.kernel = maybe(random, kKernels);
  filter.verdict = maybe(random, kVerdicts);
  filter.state = maybe(random, {RunState::kQueued, RunState::kFinished});
  filter.since_ms = maybe(random, {since_ms});
  filter.until_ms = maybe(random, {until_ms});
  filter.before_id = maybe(random, {std::int64_t(random() % (kRows + 10))});
  filter.limit = int(random() % 100);
  return filter;
}

template <typename T, typename U>
bool fits(const std::optional<T>& wanted, const U& value) {
  return !wanted || *wanted == value;
}

bool fits(const RunFilter& filter, const RunRow& run) {
  return fits(filter.target, run.target) && fits(filter.profile, run.result.profile) &&
         fits(filter.kernel, run.result.kernel.release) && fits(filter.verdict, run.verdict) &&
         fits(filter.state, run.state) && run.queued_at_ms >= filter.since_ms.value_or(run.queued_at_ms) &&
         run.queued_at_ms < filter.until_ms.value_or(run.queued_at_ms + 1) &&
         run.id < filter.before_id.value_or(run.id + 1);
}

FindingFilter random_finding_filter(Random& random, std::int64_t since_ms, std::int64_t until_ms) {
  FindingFilter filter;
  filter.target = maybe(random, kTargets);
  filter.profile = maybe(random, kProfiles);
  filter.kernel = maybe(random, kKernels);
  filter.kind = maybe(random, kKinds);
  filter.acknowledged = maybe(random, {true, false});
  if (random() % 10 == 0) filter.run_id = std::int64_t(random() % kRows);
  filter.since_ms = maybe(random, {since_ms});
  filter.until_ms = maybe(random, {until_ms});
  filter.before_id = maybe(random, {std::int64_t(random() % kRows)});
  filter.limit = int(random() % 100);
  return filter;
}

bool fits(const FindingFilter& filter, const FindingRow& row) {
  return fits(filter.target, row.target) && fits(filter.profile, row.profile) &&
         fits(filter.kernel, row.kernel_release) && fits(filter.kind, row.finding.kind) &&
         fits(filter.acknowledged, row.acknowledged_at_ms.has_value()) && fits(filter.run_id, row.run_id) &&
         row.found_at_ms >= filter.since_ms.value_or(row.found_at_ms) &&
         row.found_at_ms < filter.until_ms.value_or(row.found_at_ms + 1) &&
         row.id < filter.before_id.value_or(row.id + 1);
}

template <typename Row>
std::vector<std::int64_t> ids(const std::vector<Row>& rows) {
  std::vector<std::int64_t> out;
  out.reserve(rows.size());
  for (const Row& row : rows) out.push_back(row.id);
  return out;
}

// What a plain loop over all rows, newest first, finds.
template <typename Row, typename Filter>
std::vector<std::int64_t> expected_ids(const std::vector<Row>& rows, const Filter& filter) {
  std::vector<std::int64_t> out;
  for (const Row& row : rows) {
    if (out.size() < std::size_t(filter.limit) && fits(filter, row)) out.push_back(row.id);
  }
  return out;
}

TEST_F(FiltersTest, EveryCombinationFindsWhatAPlainLoopFinds) {
  Random random(2);
  std::size_t found = 0;
  for (int i = 0; i < 1'000; ++i) {
    const RunFilter runs = random_run_filter(random, random_time(random), random_time(random));
    ASSERT_EQ(ids(reader_->runs(runs)), expected_ids(runs_, runs)) << runs_query(runs).sql;
    found += expected_ids(runs_, runs).size();
    const FindingFilter findings = random_finding_filter(random, random_time(random), random_time(random));
    ASSERT_EQ(ids(reader_->findings(findings)), expected_ids(findings_, findings)) << findings_query(findings).sql;
    found += expected_ids(findings_, findings).size();
  }
  EXPECT_GT(found, 2'000U) << "the filters must leave something to compare";
}

std::string plan(const SQLite::Database& database, const Query& query) {
  Query explain = query;
  explain.sql = "EXPLAIN QUERY PLAN " + query.sql;
  SQLite::Statement statement = explain.prepare(database);
  std::string lines;
  while (statement.executeStep()) lines += statement.getColumn(3).getString() + "\n";
  return lines;
}

TEST_F(FiltersTest, NoCombinationScansOrSorts) {
  const SQLite::Database database = raw(store_->path);
  Random random(3);
  for (int i = 0; i < 1'000; ++i) {
    for (const Query& query : {runs_query(random_run_filter(random, 1'000, 2'000)),
                               findings_query(random_finding_filter(random, 1'000, 2'000))}) {
      const std::string lines = plan(database, query);
      ASSERT_THAT(lines, Not(HasSubstr("SCAN"))) << query.sql;
      ASSERT_THAT(lines, Not(HasSubstr("TEMP B-TREE"))) << query.sql;
    }
  }
}

// How much SQLite worked for the whole answer.
int steps(const SQLite::Database& database, const Query& query) {
  SQLite::Statement statement = query.prepare(database);
  while (statement.executeStep()) {
  }
  // SQLiteCpp does not show the handle; it is the only statement of this connection.
  return sqlite3_stmt_status(sqlite3_next_stmt(database.getHandle(), nullptr), SQLITE_STMTSTATUS_VM_STEP, 0);
}

TEST_F(FiltersTest, AShortTimeCostsLittleWhereverItLies) {
  const SQLite::Database database = raw(store_->path);
  // A walk over all the rows is more than 10,000 steps.
  constexpr int kFew = 5'000;
  const std::int64_t oldest_ms = runs_.back().queued_at_ms;
  const std::int64_t newest_ms = runs_.front().queued_at_ms;
  for (const std::int64_t around_ms : {oldest_ms, runs_[kRows / 2].queued_at_ms, newest_ms}) {
    RunFilter window;
    window.since_ms = around_ms - 5 * kStepMs;
    window.until_ms = around_ms + 5 * kStepMs;
    EXPECT_LT(steps(database, runs_query(window)), kFew) << around_ms;
  }
  RunFilter old;
  old.until_ms = oldest_ms + 5 * kStepMs;
  EXPECT_LT(steps(database, runs_query(old)), kFew);
  RunFilter recent;
  recent.since_ms = newest_ms;
  EXPECT_LT(steps(database, runs_query(recent)), kFew);
}

// The index that serves a filter on its own.
template <typename Filter, typename Set>
std::string index_for(Query (*make)(const Filter&), Set set) {
  Filter filter;
  set(filter);
  filter.before_id = 500;
  const TestStore store;
  return plan(raw(store.path), make(filter));
}

TEST(FilterIndexTest, EachFilterHasAnIndexThatAlsoServesTheCursor) {
  const auto run = [](auto set) { return index_for<RunFilter>(runs_query, set); };
  EXPECT_THAT(run([](RunFilter& f) { f.target = "data"; }), HasSubstr("(target=? AND rowid<?)"));
  EXPECT_THAT(run([](RunFilter& f) { f.profile = "append"; }), HasSubstr("runs_by_profile (profile=? AND rowid<?)"));
  EXPECT_THAT(run([](RunFilter& f) { f.kernel = "6.1"; }), HasSubstr("runs_by_kernel (kernel_release=? AND rowid<?)"));
  EXPECT_THAT(run([](RunFilter& f) { f.verdict = Verdict::kClean; }),
              HasSubstr("runs_by_verdict (verdict=? AND rowid<?)"));
  EXPECT_THAT(run([](RunFilter& f) { f.state = RunState::kQueued; }),
              HasSubstr("runs_unfinished (state=? AND rowid<?)"));
  EXPECT_THAT(run([](RunFilter& f) { f.target = "data", f.state = RunState::kRunning; }),
              HasSubstr("runs_by_target_end (target=? AND finished_at_ms=? AND rowid<?)"));
  EXPECT_THAT(run([](RunFilter& f) { f.state = RunState::kFinished; }), HasSubstr("PRIMARY KEY (rowid<?)"));
  EXPECT_THAT(run([](RunFilter& f) { f.since_ms = 1; }),
              HasSubstr("SEARCH run_hours USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"));
  EXPECT_THAT(run([](RunFilter& f) { f.target = "data", f.profile = "append"; }),
              HasSubstr("runs_by_target_profile (target=? AND profile=? AND rowid<?)"));
  const auto finding = [](auto set) { return index_for<FindingFilter>(findings_query, set); };
  EXPECT_THAT(finding([](FindingFilter& f) { f.target = "data"; }), HasSubstr("(target=? AND rowid<?)"));
  EXPECT_THAT(finding([](FindingFilter& f) { f.profile = "append"; }),
              HasSubstr("findings_by_profile (profile=? AND rowid<?)"));
  EXPECT_THAT(finding([](FindingFilter& f) { f.kernel = "6.1"; }),
              HasSubstr("findings_by_kernel (kernel_release=? AND"));
  EXPECT_THAT(finding([](FindingFilter& f) { f.kind = FindingKind::kTorn; }),
              HasSubstr("findings_by_kind (kind=? AND rowid<?)"));
  EXPECT_THAT(finding([](FindingFilter& f) { f.run_id = 1; }), HasSubstr("findings_by_run (run_id=? AND rowid<?)"));
  EXPECT_THAT(finding([](FindingFilter& f) { f.acknowledged = false; }),
              HasSubstr("findings_by_acknowledged (<expr>=? AND rowid<?)"));
  EXPECT_THAT(finding([](FindingFilter& f) { f.until_ms = 1; }), HasSubstr("SEARCH finding_hours"));
}

TEST(PagingTest, PagesHoldStillWhileRunsAreAdded) {
  const TestStore store;
  const Reader reader = store.reader();
  for (int i = 0; i < 5; ++i) store->add_run(queued_run());
  RunFilter filter;
  filter.limit = 2;
  EXPECT_THAT(ids(reader.runs(filter)), ElementsAre(5, 4));
  store->add_run(queued_run());
  filter.before_id = 4;
  EXPECT_THAT(ids(reader.runs(filter)), ElementsAre(3, 2));
  store->add_run(queued_run());
  filter.before_id = 2;
  EXPECT_THAT(ids(reader.runs(filter)), ElementsAre(1));
  filter.before_id = 1;
  EXPECT_THAT(reader.runs(filter), IsEmpty());
  filter = {};
  filter.limit = -1;
  EXPECT_THAT(reader.runs(filter), IsEmpty()) << "a negative limit is none, not no limit";
}

}  // namespace
}  // namespace writecanary::storage
