#include "probe/trap/retries.h"

#include <gtest/gtest.h>

namespace writecanary::probe {
namespace {

TEST(RetriesTest, GrowthIsOnesOwnOnlyWhileNoRetryIsOnItsWay) {
  Retries retries;
  const auto quiet = retries.none_running();
  ASSERT_TRUE(quiet);
  EXPECT_TRUE(retries.none_since(*quiet));
  retries.begin();
  EXPECT_FALSE(retries.none_since(*quiet));
  EXPECT_FALSE(retries.none_running());
  EXPECT_FALSE(retries.wait_for_none()) << "a writer that died in its retry is not waited for for ever";
  retries.end();
  EXPECT_FALSE(retries.none_since(*quiet)) << "it may have made the file longer meanwhile";
  EXPECT_TRUE(retries.wait_for_none());
}

}  // namespace
}  // namespace writecanary::probe
