#include "probe/trap/ring.h"

#include <gtest/gtest.h>

namespace writecanary::probe {
namespace {

TEST(RingTest, LockedMemoryThatIsTooLittleIsNamedWithWhatIsNeeded) {
  EXPECT_EQ(locked_memory_advice(8192, 4096),
            " (this kernel, older than 5.12, charges a ring to locked memory: this one needs 8 KiB beside the user's "
            "other rings, and RLIMIT_MEMLOCK is 4 KiB. Raise it: LimitMEMLOCK= of the service, or ulimit -l)");
}

}  // namespace
}  // namespace writecanary::probe
