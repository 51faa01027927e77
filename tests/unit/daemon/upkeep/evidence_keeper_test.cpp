// What goes when the evidence of all runs is more than may be kept.
#include "daemon/upkeep/evidence_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "storage/store/store.h"
#include "tests/unit/temporary_directory.h"

namespace writecanary::daemon {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SurplusEvidenceTest, NothingGoesThatFits) {
  EXPECT_THAT(surplus_evidence({{1, 60, "a"}, {2, 40, "a"}}, 100), IsEmpty());
  EXPECT_THAT(surplus_evidence({}, 0), IsEmpty());
}

TEST(SurplusEvidenceTest, WhatWasSeenAgainGoesFirstAndTheEarliestOfIt) {
  const std::vector<KeptEvidence> kept{{1, 10, "rare"}, {2, 10, "often"}, {3, 10, "often"}, {4, 10, "often"}};
  EXPECT_THAT(surplus_evidence(kept, 39), ElementsAre(2));
  EXPECT_THAT(surplus_evidence(kept, 20), ElementsAre(2, 3));
  EXPECT_THAT(surplus_evidence(kept, 19), ElementsAre(2, 3, 1));
  EXPECT_THAT(surplus_evidence(kept, 0), ElementsAre(2, 3, 1, 4));
}

class EvidenceKeeperTest : public testing::Test {
 protected:
  // A finished run of a profile with one damaged file of so many bytes.
  std::int64_t run(const std::string& profile, std::size_t bytes, bool finished = true) {
    storage::RunRow row;
    row.target = "data";
    row.trigger = "api";
    row.spec_json = "{}";
    row.result.profile = profile;
    const auto id = store_->add_run(row);
    store_->start_run(id, 1);
    RunResult result;
    result.profile = profile;
    result.end.verdict = Verdict::kCorrupt;
    result.kernel.release = "6.1.170";
    result.findings.emplace_back();
    if (finished) store_->finish_run(id, result, 2);
    std::filesystem::create_directories(directory(id));
    directory_.write("evidence/" + std::to_string(id) + "/file-1", std::string(bytes, 'x'));
    return id;
  }
  std::string directory(std::int64_t id) const { return directory_.path() + "/evidence/" + std::to_string(id); }
  bool kept(std::int64_t id) const { return std::filesystem::exists(directory(id) + "/file-1"); }
  void settle(std::uint64_t bytes_max) {
    while (keeper_.step(bytes_max)) continue;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<storage::Store> store_ = storage::Store::open(directory_.path() + "/results.db");
  storage::Reader reader_{directory_.path() + "/results.db"};
  EvidenceKeeper keeper_{reader_, directory_.path() + "/evidence", SystemTime{}};
};

TEST_F(EvidenceKeeperTest, StaysWithinItsSizeAndKeepsTheLatestOfEachProfile) {
  const auto only = run("append", 1000);
  std::vector<std::int64_t> often(50);
  for (auto& id : often) id = run("append-interposed", 1000);
  settle(10'000);
  EXPECT_EQ(keeper_.bytes(), 10'000U);
  EXPECT_TRUE(kept(only));
  EXPECT_TRUE(kept(often.back()));
  EXPECT_FALSE(kept(often[40]));
  EXPECT_TRUE(reader_.run(often.front()).has_value());
  EXPECT_FALSE(std::filesystem::exists(directory(often.front())));
}

TEST_F(EvidenceKeeperTest, WhatComesLaterIsCountedToo) {
  const auto first = run("append", 1000);
  settle(1500);
  EXPECT_EQ(keeper_.bytes(), 1000U);
  const auto second = run("append", 1000);
  settle(1500);
  EXPECT_FALSE(kept(first));
  EXPECT_TRUE(kept(second));
}

TEST_F(EvidenceKeeperTest, ARunThatIsBeingMadeKeepsItsFiles) {
  const auto running = run("append", 5000, false);
  settle(1000);
  EXPECT_TRUE(kept(running));
  EXPECT_EQ(keeper_.bytes(), 0U);
}

TEST_F(EvidenceKeeperTest, WhatNoRunIsKnownForIsSetAside) {
  std::filesystem::create_directories(directory(77));
  directory_.write("evidence/77/file-1", "brought here by somebody");
  std::filesystem::create_directories(directory_.path() + "/evidence/not-a-run");
  settle(0);
  EXPECT_FALSE(std::filesystem::exists(directory(77)));
  EXPECT_TRUE(std::filesystem::exists(directory_.path() + "/evidence/unknown-19700101T000000Z/77/file-1"));
  EXPECT_TRUE(std::filesystem::exists(directory_.path() + "/evidence/not-a-run"));
  EXPECT_EQ(keeper_.bytes(), 0U);
}

}  // namespace
}  // namespace writecanary::daemon
