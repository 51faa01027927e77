#include "probe/profiles/archive/archive_name.h"

#include <gtest/gtest.h>

namespace writecanary::probe {
namespace {

TEST(ArchiveName, ComesBackAsItWas) {
  for (const bool incompressible : {true, false}) {
    const ArchiveName name{1'764'000'000, 2 << 20, {.run = 77, .file = 3}, incompressible, "6.1.0-47_local"};
    EXPECT_EQ(parse_archive_name(to_string(name)), name);
  }
}

TEST(ArchiveName, OthersAreNotTaken) {
  for (const char* text : {"", "stranger", "new-1_2_3_4_i_6.1", "1_2_3_4_i_", "1_2_3_4_x_6.1", "1_2_0_4_i_6.1",
                           "1_2_99999_4_i_6.1", "1_2_3_4_i", "-1_2_3_4_i_6.1", "1_2 _3_4_i_6.1"}) {
    EXPECT_EQ(parse_archive_name(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace writecanary::probe
