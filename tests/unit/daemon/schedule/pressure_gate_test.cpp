#include "daemon/schedule/pressure_gate.h"

#include <gtest/gtest.h>

#include "tests/unit/temporary_directory.h"

namespace writecanary::daemon {
namespace {

TEST(MemoryPressure, IsSomeAvg60) {
  const TemporaryDirectory directory;
  EXPECT_EQ(parse_memory_pressure("some avg10=1.00 avg60=12.34 avg300=0.10 total=1\nfull avg10=0.00 avg60=9.00\n"),
            12.34);
  for (const char* text : {"", "full avg10=0.00 avg60=9.00\n", "some avg10=1.00\n", "some avg60=x total=1\n"}) {
    EXPECT_EQ(parse_memory_pressure(text), std::nullopt) << text;
  }
  EXPECT_EQ(read_memory_pressure(directory.write("memory", "some avg10=0.00 avg60=0.50 avg300=0.00 total=1\n")), 0.5);
  EXPECT_EQ(read_memory_pressure(directory.path() + "/nothing"), std::nullopt);
}

}  // namespace
}  // namespace writecanary::daemon
