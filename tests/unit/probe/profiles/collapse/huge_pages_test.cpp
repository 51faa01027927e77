#include "probe/profiles/collapse/huge_pages.h"

#include <gtest/gtest.h>

#include <sstream>

namespace writecanary::probe {
namespace {

constexpr char kSmaps[] =
    "7f1200000000-7f1200200000 r-xp 00000000 08:01 12 /data/.writecanary/run-a-b/file-1\n"
    "Size:               2048 kB\n"
    "Rss:                2048 kB\n"
    "AnonHugePages:       512 kB\n"
    "ShmemPmdMapped:        0 kB\n"
    "FilePmdMapped:      2048 kB\n"
    "7f1200400000-7f1200600000 rw-s 00000000 00:01 13 /memory/file-2\n"
    "ShmemPmdMapped:     2048 kB\n"
    "FilePmdMapped:         0 kB\n";

std::uint64_t at(const char* beginning) {
  std::istringstream lines(kSmaps);
  return huge_bytes_of(lines, beginning);
}

TEST(HugeBytesOf, OnlyTheMappingThatIsAskedForCounts) {
  EXPECT_EQ(at("7f1200000000-"), 2048U << 10);
  EXPECT_EQ(at("7f1200400000-"), 2048U << 10);
  EXPECT_EQ(at("7f1200200000-"), 0U);
}

TEST(HugeBytesOf, AKernelThatDoesNotTellIsNotTakenForAYes) {
  std::istringstream lines("7f1200000000-7f1200200000 r-xp 00000000 08:01 12 /f\nRss: 2048 kB\n");
  EXPECT_EQ(huge_bytes_of(lines, "7f1200000000-"), 0U);
}

}  // namespace
}  // namespace writecanary::probe
