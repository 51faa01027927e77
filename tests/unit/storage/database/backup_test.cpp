#include "storage/database/backup.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/unit/storage/support.h"

namespace writecanary::storage {
namespace {

TEST(BackupTest, IsWholeWhileTheDaemonGoesOnWriting) {
  const TestStore store;
  const auto id = finished_run(*store.store, result_with(Verdict::kCorrupt, {FindingKind::kTorn}));
  const auto copy = store.directory / "copy.db";
  back_up(store.path, copy);
  finished_run(*store.store, result_with(Verdict::kClean));
  EXPECT_FALSE(std::filesystem::exists(copy + ".new"));
  const auto restored = Store::open(copy);
  EXPECT_EQ(Reader(copy).runs({}).size(), 1U);
  EXPECT_EQ(Reader(copy).run(id)->verdict, Verdict::kCorrupt);
  EXPECT_EQ(restored->totals().size(), 1U);
  EXPECT_EQ(store.reader().runs({}).size(), 2U);
}

TEST(BackupTest, NeverOverwritesAnythingAndLeavesNothingBehind) {
  const TestStore store;
  const auto taken = store.directory / "taken";
  write_file(taken, "mine");
  EXPECT_NE(storage_error([&] { back_up(store.path, taken); }).find("File exists"), std::string::npos);
  EXPECT_EQ(file_bytes(taken), "mine");
  EXPECT_FALSE(std::filesystem::exists(taken + ".new"));
  EXPECT_NE(storage_error([&] { back_up(store.directory / "none", store.directory / "copy"); }), "");
  EXPECT_FALSE(std::filesystem::exists(store.directory / "copy"));
}

}  // namespace
}  // namespace writecanary::storage
