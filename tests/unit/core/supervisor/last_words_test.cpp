#include "core/supervisor/last_words.h"

#include <gtest/gtest.h>

#include <vector>

namespace writecanary {
namespace {

struct Heard {
  LastWords words;
  std::vector<std::string> lines;

  void feed(const std::string& bytes) {
    words.feed(bytes, [this](const std::string& line) { lines.push_back(line); });
  }
};

TEST(LastWords, AreLinesHoweverTheyArrive) {
  Heard heard;
  EXPECT_EQ(heard.words.text(), "");
  for (const char* bytes : {"fi", "rst\nsecond\nthi", "rd\n", "rest"}) heard.feed(bytes);
  EXPECT_EQ(heard.lines, (std::vector<std::string>{"first", "second", "third"}));
  EXPECT_EQ(heard.words.text(), "first; second; third; rest");
}

TEST(LastWords, DoNotSteerATerminalNorForgeALine) {
  Heard heard;
  heard.feed("\x1b[2J\n\rred\x07");
  EXPECT_EQ(heard.lines, (std::vector<std::string>{"\\x1b[2J"}));
  EXPECT_EQ(heard.words.text(), "\\x1b[2J;  red\\x07");
}

TEST(LastWords, AreTheEndOfAFlood) {
  Heard heard;
  for (int line = 0; line < 1000; ++line) heard.feed("line " + std::to_string(line) + "\n");
  EXPECT_EQ(heard.lines.size(), 1000U);
  EXPECT_EQ(heard.words.text().size(), 2048U);
  EXPECT_TRUE(heard.words.text().ends_with("line 998; line 999"));
  heard.feed(std::string(100'000, 'x') + "end");
  EXPECT_EQ(heard.words.text(), std::string(2045, 'x') + "end");
}

}  // namespace
}  // namespace writecanary
