#include "core/text/printable.h"

#include <gtest/gtest.h>

namespace writecanary {
namespace {

TEST(Printable, ControlCharactersOfOthersDoNotReachTheTerminal) {
  EXPECT_EQ(printable("a\x1b[31mb\x07"), "a\\x1b[31mb\\x07");
  EXPECT_EQ(printable("one\ntwo\tthree"), "one two three");
  EXPECT_EQ(printable("\xC2\x9B"
                      "31m \xC3\xA9"),
            "\\xc2\\x9b31m \xC3\xA9")
      << "C1 controls go, letters stay";
}

}  // namespace
}  // namespace writecanary
