#include "probe/profiles/ring_io/ring_case.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace writecanary::probe {
namespace {

const std::vector<RingSetup> kAll = {RingSetup::kPlain, RingSetup::kDeferTaskrun, RingSetup::kThread};

std::set<std::string> names(const std::vector<RingCase>& cases, bool writes) {
  std::set<std::string> all;
  for (const RingCase& one : cases) {
    if (!one.worker) all.insert(to_string(one, writes));
  }
  return all;
}

TEST(RingCaseTest, EveryWayToWriteIsThereOnce) {
  const std::vector<RingCase> cases = write_cases(1, kAll);
  const auto tried = std::ranges::count_if(cases, [](const RingCase& one) { return !one.worker; });
  EXPECT_EQ(tried, 3 * 3 * 4 * 3 * 2);  // set-ups, memories, places, flags, files
  EXPECT_EQ(names(cases, true).size(), static_cast<std::size_t>(tried));
}

TEST(RingCaseTest, FewGoToAWorkerAtOnce) {
  const std::vector<RingCase> cases = write_cases(1, kAll);
  const auto workers = std::ranges::count_if(cases, [](const RingCase& one) { return one.worker; });
  EXPECT_GT(workers, 0);
  EXPECT_LT(workers, static_cast<std::ptrdiff_t>(cases.size() / 4));
}

TEST(RingCaseTest, ReadsHaveNoAppendsAndNoFlags) {
  const std::vector<RingCase> cases = read_cases(1, kAll);
  EXPECT_EQ(names(cases, false).size(), 3U * 3 * 2 * 2);
  for (const RingCase& one : cases) {
    EXPECT_TRUE(one.place == RingPlace::kExplicit || one.place == RingPlace::kPosition);
    EXPECT_EQ(one.flag, RingFlag::kNone);
  }
}

TEST(RingCaseTest, TheSeedDecidesTheOrder) {
  const auto first = [](std::uint64_t seed) { return to_string(write_cases(seed, kAll).front(), true); };
  EXPECT_EQ(first(7), first(7));
  std::set<std::string> firsts;
  for (std::uint64_t seed = 0; seed < 20; ++seed) firsts.insert(first(seed));
  EXPECT_GT(firsts.size(), 5U);
}

TEST(RingCaseTest, OnlySetupsThatCanBeHad) {
  for (const RingCase& one : write_cases(1, {RingSetup::kPlain})) EXPECT_EQ(one.setup, RingSetup::kPlain);
}

TEST(RingCaseTest, IsNamed) {
  EXPECT_EQ(to_string({.setup = RingSetup::kThread,
                       .memory = RingMemory::kVector,
                       .place = RingPlace::kPosition,
                       .flag = RingFlag::kDsync,
                       .registered_file = true,
                       .worker = true},
                      true),
            "WRITEV at the current position, RWF_DSYNC, registered file, IOSQE_ASYNC, IORING_SETUP_SQPOLL");
}

}  // namespace
}  // namespace writecanary::probe
