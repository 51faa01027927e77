// A fault at every single call of SQLite to the filesystem: each operation succeeds or throws StorageError, what it
// said was committed is there afterwards, and the file is sound.
#include <gtest/gtest.h>

#include <optional>

#include "tests/unit/storage/faulty_vfs.h"
#include "tests/unit/storage/support.h"

namespace writecanary::storage {
namespace {

// What a daemon was told, step by step; whatever throws was not told.
struct Told {
  bool opened = false;
  std::optional<std::int64_t> run;
  bool started = false;
  std::vector<std::int64_t> findings;
  bool acknowledged = false;
  std::optional<std::int64_t> audit;
};

// False when the step failed cleanly. Anything but a StorageError fails the test.
template <typename Step>
bool succeeds(const Step& step) {
  try {
    step();
    return true;
  } catch (const StorageError& error) {
    EXPECT_FALSE(std::string(error.what()).empty());
    return false;
  }
}

Told live(const std::string& path) {
  Told told;
  std::unique_ptr<Store> store;
  told.opened = succeeds([&] { store = Store::open(path); });
  if (!store) return told;
  succeeds([&] { store->sync_targets({known_target("data", "/data")}); });
  succeeds([&] { told.run = store->add_run(queued_run(), {"me", "key", "{}"}); });
  if (!told.run) return told;
  told.started = succeeds([&] { store->start_run(*told.run, 2'000); });
  succeeds([&] {
    told.findings = store->finish_run(*told.run, result_with(Verdict::kCorrupt, {FindingKind::kTorn}), 3'000);
  });
  if (!told.findings.empty()) {
    told.acknowledged = succeeds([&] { store->acknowledge_finding(told.findings[0], "me", "known", 4'000); });
  }
  succeeds([&] {
    AuditRow asked;
    asked.who = "me";
    asked.outcome = "done";
    told.audit = store->add_audit(asked);
  });
  succeeds([&] {
    const Reader reader(path);
    EXPECT_EQ(reader.findings({}).size(), told.findings.size());
  });
  return told;
}

void expect_sound(const std::string& path, const Told& told) {
  const auto store = Store::open(path);
  EXPECT_EQ(raw(path).execAndGet("PRAGMA integrity_check").getString(), "ok");
  const Reader reader(path);
  if (told.run) {
    const auto run = reader.run(*told.run);
    ASSERT_TRUE(run);
    const auto keyed = store->run_of_key({"me", "key", "{}"}, 1'000);
    ASSERT_TRUE(keyed);
    EXPECT_EQ(keyed->run_id, told.run);
    EXPECT_TRUE(!told.started || run->started_at_ms);
    EXPECT_EQ(run->state == RunState::kFinished, !reader.findings({}).empty()) << "both or neither";
  }
  for (const auto id : told.findings) {
    const auto finding = reader.finding(id);
    ASSERT_TRUE(finding);
    EXPECT_TRUE(!told.acknowledged || finding->acknowledged_at_ms);
  }
  EXPECT_TRUE(!told.audit || reader.audit({}).size() == 1);
}

class FaultsTest : public ::testing::TestWithParam<bool> {};

TEST_P(FaultsTest, EveryCallMayFail) {
  const bool for_good = GetParam();
  const FaultyVfs vfs;
  std::size_t cut_short = 0;
  for (std::size_t call = 1;; ++call) {
    SCOPED_TRACE("fault at call " + std::to_string(call));
    const TemporaryDirectory directory;
    const auto path = directory / "results.db";
    FaultyVfs::fail_at(call, for_good);
    const Told told = live(path);
    const bool met = FaultyVfs::has_failed();
    FaultyVfs::heal();
    expect_sound(path, told);
    if (HasFatalFailure()) return;
    if (!met) {
      EXPECT_TRUE(told.acknowledged && told.audit);
      EXPECT_GT(call, 100U) << "every step makes several calls";
      break;
    }
    if (!told.acknowledged) ++cut_short;
  }
  EXPECT_GT(cut_short, 50U) << "most faults are felt";
}

INSTANTIATE_TEST_SUITE_P(OnceAndForGood, FaultsTest, ::testing::Bool());

}  // namespace
}  // namespace writecanary::storage
