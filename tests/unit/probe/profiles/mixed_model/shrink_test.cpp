#include "probe/profiles/mixed_model/shrink.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace writecanary::probe {
namespace {

bool contains_in_order(std::span<const std::size_t> indices, std::initializer_list<std::size_t> needed) {
  return std::ranges::includes(indices, needed);  // the indices always ascend
}

TEST(Shrink, LeavesWhatTheFailureNeeds) {
  const Shrunk shrunk = shrink(5000, 1000, [](std::span<const std::size_t> indices) {
    return contains_in_order(indices, {17, 1234, 4001});
  });
  EXPECT_TRUE(shrunk.reproduced);
  EXPECT_EQ(shrunk.indices, (std::vector<std::size_t>{17, 1234, 4001}));
  EXPECT_LE(shrunk.replays, 200U);
}

TEST(Shrink, OneOperationIsEnough) {
  const Shrunk shrunk =
      shrink(3000, 300, [](std::span<const std::size_t> indices) { return contains_in_order(indices, {2999}); });
  EXPECT_EQ(shrunk.indices, std::vector<std::size_t>{2999});
}

TEST(Shrink, AFailureThatDoesNotComeAgainIsSaidSo) {
  const Shrunk shrunk = shrink(100, 300, [](std::span<const std::size_t>) { return false; });
  EXPECT_FALSE(shrunk.reproduced);
  EXPECT_EQ(shrunk.replays, 1U);
  EXPECT_EQ(shrunk.indices.size(), 100U);
}

TEST(Shrink, ReplaysAreBoundedAndTheResultStillFails) {
  std::size_t calls = 0;
  const auto fails = [&](std::span<const std::size_t> indices) {
    ++calls;
    return std::ranges::count_if(indices, [](std::size_t index) { return index % 2 == 0; }) >= 100;
  };
  const Shrunk shrunk = shrink(1000, 20, fails);
  EXPECT_EQ(calls, 20U);
  EXPECT_EQ(shrunk.replays, 20U);
  EXPECT_TRUE(fails(shrunk.indices));
}

TEST(Shrink, AListThatFailsIsNeverGivenUpForOneThatDidNot) {
  std::size_t calls = 0;  // fails two times of three, whatever is in the list
  std::vector<std::size_t> last_failing;
  const Shrunk shrunk = shrink(64, 50, [&](std::span<const std::size_t> indices) {
    if (++calls % 3 == 0) return false;
    last_failing.assign(indices.begin(), indices.end());
    return true;
  });
  EXPECT_EQ(shrunk.indices, last_failing);
}

}  // namespace
}  // namespace writecanary::probe
