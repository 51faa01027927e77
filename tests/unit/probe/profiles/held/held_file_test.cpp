// What the held profiles share: a file with its image, one of several legal results, and what was seen meanwhile.
#include "probe/profiles/held/held_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "core/base/error.h"
#include "probe/profiles/held/witness.h"
#include "tests/unit/probe/run_fixture.h"

namespace writecanary::probe {
namespace {

class HeldFileTest : public RunFixture {
 protected:
  HeldFileTest() {
    begin();
    memory_ = open_withheld(*workspace_, 64UL << 10);
    file_ = std::make_unique<HeldFile>(*context_, *memory_);
  }
  void put(std::uint64_t offset, std::span<const std::byte> bytes) {
    ASSERT_EQ(pwrite(file_->fd(), bytes.data(), bytes.size(), static_cast<off_t>(offset)),
              static_cast<ssize_t>(bytes.size()));
  }

  std::unique_ptr<WithheldMemory> memory_;
  std::unique_ptr<HeldFile> file_;
};

TEST_F(HeldFileTest, AHeldWriteIsCountedAndItsBytesAreThere) {
  file_->write(kOldBytes, 0, 20'000);
  bool beside = false;
  file_->write_held(
      {.fd = file_->fd(), .offset = 5000, .bytes = 30'001, .withheld = 9000, .lead = 5000 % 4096},
      [&] { beside = true; }, [&] { return beside; });
  file_->accept_held(5000, 30'001);
  file_->judge();
  EXPECT_TRUE(beside);
  EXPECT_EQ(context_->meter.tally().total(), 0U);
  EXPECT_EQ(context_->meter.counters().exposures, memory_->refusal().empty() ? 1U : 0U);
}

TEST_F(HeldFileTest, WithoutTheConditionOfTheProfileNothingIsExposed) {
  file_->write_held(
      {.fd = file_->fd(), .bytes = 30'000, .withheld = 9000}, [] {}, [] { return false; });
  EXPECT_EQ(context_->meter.counters().exposures, 0U);
}

TEST_F(HeldFileTest, EitherOfTwoLegalResultsIsRight) {
  file_->write(kOldBytes, 0, 20'000);
  Legal cut{"cut", file_->image()}, whole{"whole", file_->image()};
  cut.image.resize(7000);
  file_->settle({cut, whole});
  EXPECT_EQ(file_->image(), whole.image);
  ASSERT_EQ(ftruncate(file_->fd(), 7000), 0);
  for (const auto& legal : {std::vector{cut, whole}, std::vector{whole, cut}}) {
    file_->settle(legal);
    EXPECT_EQ(file_->image(), cut.image);
    file_->judge();
  }
  EXPECT_EQ(context_->meter.tally().total(), 0U);
}

TEST_F(HeldFileTest, NeitherOfThemIsAFindingAgainstTheNearest) {
  file_->write(kOldBytes, 0, 20'000);
  Legal cut{"cut", file_->image()}, whole{"whole", file_->image()};
  cut.image.resize(7000);
  put(8192, std::vector<std::byte>(800));
  file_->settle({cut, whole});
  file_->judge();
  EXPECT_EQ(found(FindingKind::kZeroed), 1U);
  EXPECT_EQ(context_->meter.tally().total(), 1U);
}

TEST_F(HeldFileTest, MostlyHotSeesWhatIsWrongHotAndReportsItOnce) {
  file_->write(kOldBytes, 0, 20'000);
  context_->next_file();
  context_->next_file();  // not the 1st, 2nd or 4th
  file_->judge_mostly_hot();
  EXPECT_EQ(context_->meter.tally().total(), 0U);
  put(8192, std::vector<std::byte>(800));
  file_->judge_mostly_hot();
  EXPECT_EQ(found(FindingKind::kZeroed), 1U);
}

TEST_F(HeldFileTest, WhatWasSeenWrongAndIsRightNowIsTransient) {
  file_->write(kOldBytes, 0, 20'000);
  Witness witness(*file_, file_->image());
  std::vector<std::byte> seen(file_->image().begin() + 4096, file_->image().begin() + 8192);
  witness.see(4096, seen, "once");
  std::fill_n(seen.begin() + 80, 160, std::byte{0});
  witness.see(4096, seen, "twice");
  witness.report(context_->findings);
  EXPECT_EQ(found(FindingKind::kZeroed), 1U);
  EXPECT_EQ(context_->meter.tally().bytes_of(FindingKind::kZeroed), 160U);
}

TEST_F(HeldFileTest, WhatIsStillWrongIsLeftToTheFilesOwnJudgement) {
  file_->write(kOldBytes, 0, 20'000);
  Witness witness(*file_, file_->image());
  put(4096, std::vector<std::byte>(800));
  EXPECT_EQ(witness.load(file_->fd(), 4096, 4096, "as a mapping showed it"), 4096U);
  witness.report(context_->findings);
  EXPECT_EQ(context_->meter.tally().total(), 0U);
  file_->judge();
  EXPECT_EQ(found(FindingKind::kZeroed), 1U);
}

TEST_F(HeldFileTest, MoreThanThereIsAndLessThanWasSeen) {
  file_->write(kOldBytes, 0, 20'000);
  Witness witness(*file_, file_->image());
  std::vector<std::byte> seen(file_->image().begin() + 16'384, file_->image().end());
  seen.resize(4096);
  witness.see(16'384, seen, "beyond the end");
  witness.miss(16'384, 20'000, "short");
  witness.report(context_->findings);
  EXPECT_EQ(found(FindingKind::kSizeMismatch), 1U);
  EXPECT_EQ(found(FindingKind::kMissing), 1U);
}

}  // namespace
}  // namespace writecanary::probe
