#include "cli/terminal/text.h"

#include <gtest/gtest.h>

#include "cli/terminal/progress_bar.h"
#include "cli/terminal/table.h"
#include "tests/unit/cli/support.h"

namespace writecanary::cli {
namespace {

TEST(Text, ShortensByColumnsNotBytes) {
  EXPECT_EQ(shorten("abcdefgh", 8), "abcdefgh");
  EXPECT_EQ(shorten("abcdefghi", 8), "abcde...");
  EXPECT_EQ(shorten("\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9", 4), "\xC3\xA9...");
  EXPECT_EQ(shorten("abcdef", 2), "..");
}

TEST(Text, WrapsAtBlanks) {
  EXPECT_EQ(wrap("the quick  brown fox", 9), (std::vector<std::string>{"the quick", "brown fox"}));
  EXPECT_EQ(wrap("incomprehensibilities are long", 8), (std::vector<std::string>{"incomprehensibilities", "are long"}));
  EXPECT_EQ(wrap("stays whole", 0), std::vector<std::string>{"stays whole"});
  EXPECT_TRUE(wrap("", 8).empty());
}

TEST(Text, GroupsThousands) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(1234567), "1,234,567");
}

TEST(Text, SaysHowLongAgo) {
  const SystemTime now = from_unix_ms(1'000'000'000);
  EXPECT_EQ(relative_time(1'000'000'000, now), "now");
  EXPECT_EQ(relative_time(1'000'000'000 - 45'000, now), "45 s ago");
  EXPECT_EQ(relative_time(1'000'000'000 - 180'000, now), "3 min ago");
  EXPECT_EQ(relative_time(1'000'000'000 + 7'200'000, now), "in 2 h");
  EXPECT_EQ(relative_time(1'000'000'000 - 3 * 86'400'000LL, now), "3 d ago");
}

TEST(Table, AlignsAndNeverEndsALineWithBlanks) {
  Table table({{"NAME"}, {"WRITES", true}, {"REASON"}});
  table.add({"append", "1,234", "all well"});
  table.add({"x", "7", ""});
  EXPECT_EQ(table.render(0, false),
            "NAME    WRITES  REASON\n"
            "append   1,234  all well\n"
            "x            7\n");
}

TEST(Table, OnlyTheLastColumnGivesWay) {
  Table table({{"NAME"}, {"REASON"}});
  table.add({"append", "a reason that is longer than the terminal is wide"});
  EXPECT_EQ(table.render(20, false), "NAME    REASON\nappend  a reason ...\n");
  EXPECT_EQ(table.render(4, false), "NAME    REASON\nappend  a r...\n") << "never narrower than its heading";
}

TEST(Table, ColourDoesNotMoveColumns) {
  Table table({{"VERDICT"}, {"N", true}});
  table.add({{"clean", Style::kGood}, "1"});
  EXPECT_EQ(table.render(0, true), "\x1b[2mVERDICT\x1b[0m  \x1b[2mN\x1b[0m\n\x1b[32mclean\x1b[0m    1\n");
}

Progress sample_progress() {
  Progress progress;
  progress.elapsed_seconds = 2;
  progress.fraction = 0.5;
  progress.counters.writes = 1234;
  progress.counters.exposures = 1;
  progress.counters.bytes_written = 64 << 20;
  progress.tally.add(FindingKind::kTorn, 1);
  progress.tally.add(FindingKind::kTorn, 1);
  return progress;
}

TEST(ProgressLine, ShowsEverythingWhereThereIsRoom) {
  EXPECT_EQ(progress_line("append", sample_progress(), 200),
            "append  [##########..........]  50%  1,234 writes  1 exposure  64 MiB  2 findings  32 MiB/s  2 s");
}

TEST(ProgressLine, KeepsFindingsLongest) {
  EXPECT_EQ(progress_line("append", sample_progress(), 50), "append  1,234 writes  1 exposure  2 findings");
  EXPECT_EQ(progress_line("append", sample_progress(), 18), "append  2 findings");
  EXPECT_EQ(progress_line("append", sample_progress(), 5), "ap...");
}

TEST(ProgressLine, AFractionBeyondTheEndIsTheEnd) {
  Progress progress;
  progress.fraction = 1.5;
  EXPECT_NE(progress_line("x", progress, 200).find("[####################] 100%"), std::string::npos);
}

TEST(ProgressBar, DrawsNothingWithoutATerminal) {
  TestEnvironment test;
  ProgressBar bar(test.environment);
  bar.update("append", sample_progress());
  bar.note("something happened");
  EXPECT_EQ(test.err.str(), "something happened\n");
}

TEST(ProgressBar, NotesStandAboveTheBarAndTheBarGoesAway) {
  TestEnvironment test;
  test.environment.err_is_terminal = true;
  test.environment.columns = 19;
  {
    ProgressBar bar(test.environment);
    bar.update("append", sample_progress());
    bar.note("hello");
  }
  EXPECT_EQ(test.err.str(), "\rappend  2 findings\x1b[K\r\x1b[Khello\nappend  2 findings\r\x1b[K");
}

}  // namespace
}  // namespace writecanary::cli
