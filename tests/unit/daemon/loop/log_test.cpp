#include "daemon/loop/log.h"

#include <gtest/gtest.h>

namespace writecanary::daemon {
namespace {

TEST(LogTest, ALineIsOneLineAndSaysNothingToATerminal) {
  EXPECT_EQ(one_line("target \"J\xc3\xb6rg\": fine"), "target \"J\xc3\xb6rg\": fine");
  EXPECT_EQ(one_line("a\nb\r\tc\x1b[2J\x7f"), "a\\x0ab\\x0d\\x09c\\x1b[2J\\x7f");
  EXPECT_EQ(one_line(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(one_line("\xc2\x9b"
                     "2J \xc2\xa0 \xc2"),
            "\\xc2\\x9b2J \xc2\xa0 \xc2");
  EXPECT_EQ(one_line(""), "");
}

}  // namespace
}  // namespace writecanary::daemon
