#include "probe/verify/scanner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <random>

#include "core/base/error.h"
#include "tests/unit/probe/file_under_test.h"

namespace writecanary::probe {

// For messages: GoogleTest finds it beside the type.
void PrintTo(const Segment& segment, std::ostream* out) {
  *out << "content " << static_cast<int>(segment.content) << " at " << segment.file_offset << " length "
       << segment.length << " writer " << static_cast<int>(segment.tag.writer) << " stream " << segment.stream_offset;
}

namespace {

using testing::ElementsAre;

class ScannerTest : public testing::TestWithParam<std::size_t> {
 protected:
  // The parameter is the size of the read buffer, so that every decision also falls on its edges.
  std::vector<Segment> scan_file(const FileUnderTest& file) const {
    const Fd fd = temporary_file(file.content);
    std::vector<std::uint64_t> buffer(GetParam() / sizeof(std::uint64_t));
    Window window(fd.get(), "f", file.content.size(), buffer);
    const LogIndex index(file.log);
    return scan(window, index);
  }

  static Segment own(std::uint64_t offset, std::uint64_t length, std::uint64_t stream, std::uint8_t writer = 0) {
    return {offset, length, Content::kOwn, {.run = 77, .file = 3, .writer = writer}, stream};
  }
  static Segment rest(std::uint64_t offset, std::uint64_t length, Content content) {
    return {offset, length, content, {}, 0};
  }

  FileUnderTest file_;
};

TEST_P(ScannerTest, OneSegmentWhenAllIsWell) {
  file_.write(10'001);
  EXPECT_THAT(scan_file(file_), ElementsAre(own(0, 10'001, 0)));
}

TEST_P(ScannerTest, EmptyAndTinyFiles) {
  EXPECT_TRUE(scan_file(file_).empty());
  file_.write(5);
  EXPECT_THAT(scan_file(file_), ElementsAre(own(0, 5, 0)));
  file_.content = text("abc", 3);
  EXPECT_THAT(scan_file(file_), ElementsAre(rest(0, 3, Content::kUnknown)));
}

TEST_P(ScannerTest, CutsAtTheExactByte) {
  file_.write(10'000);
  file_.overwrite(1'003, text("#", 50));
  file_.erase(3'001, 3);
  file_.overwrite(5'000, zeros(104));
  EXPECT_THAT(scan_file(file_),
              ElementsAre(own(0, 1'003, 0), rest(1'003, 50, Content::kUnknown), own(1'053, 1'948, 1'053),
                          own(3'001, 1'999, 3'004), rest(5'000, 104, Content::kZeros), own(5'104, 4'893, 5'107)));
}

TEST_P(ScannerTest, SeesFlipsStaleWordsAndOtherWriters) {
  FileUnderTest file(2);
  file.write(1'000, 0), file.write(2'000, 1), file.write(1'000, 0);
  file.flip(500, 0x11);
  file.overwrite(1'504, pattern_bytes({.run = 9, .file = 8, .writer = 1}, true, 64, 160));
  EXPECT_THAT(scan_file(file),
              ElementsAre(own(0, 500, 0), Segment{500, 1, Content::kFlipped, {77, 3, 0}, 500}, own(501, 499, 501),
                          own(1'000, 504, 0, 1), Segment{1'504, 160, Content::kOther, {9, 8, 1}, 64},
                          own(1'664, 1'336, 664, 1), own(3'000, 1'000, 1'000)));
}

TEST_P(ScannerTest, ALoneWordOfTheStreamIsBelievedOnlyWhereItBelongs) {
  file_.write(10'000);
  file_.overwrite(2'000, text("#", 8));
  file_.overwrite(2'016, text("#", 8));  // leaves the word at 2008 in its place
  EXPECT_THAT(scan_file(file_), ElementsAre(own(0, 2'000, 0), rest(2'000, 8, Content::kUnknown), own(2'008, 8, 2'008),
                                            rest(2'016, 8, Content::kUnknown), own(2'024, 7'976, 2'024)));
  file_.overwrite(2'008, file_.stream(0, 4'000, 8));  // and here it is a coincidence
  EXPECT_THAT(scan_file(file_),
              ElementsAre(own(0, 2'000, 0), rest(2'000, 24, Content::kUnknown), own(2'024, 7'976, 2'024)));
}

TEST_P(ScannerTest, FewZerosBetweenUnknownBytesAreUnknown) {
  file_.content = text("x", 104);
  file_.insert(104, zeros(504));
  file_.insert(608, text("x", 104));
  EXPECT_THAT(scan_file(file_), ElementsAre(rest(0, 712, Content::kUnknown)));
  file_.insert(304, zeros(8));
  EXPECT_THAT(scan_file(file_), ElementsAre(rest(0, 104, Content::kUnknown), rest(104, 512, Content::kZeros),
                                            rest(616, 104, Content::kUnknown)));
}

TEST_P(ScannerTest, SegmentsTileAnyContent) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 60; ++round) {
    FileUnderTest file(1 + round % 3, round % 2 == 0);
    for (std::uint32_t writer = 0; writer < file.log.writers.size(); ++writer) file.log_write(1 << 20, writer);
    // Scraps of everything in any order, at any alignment.
    for (int scrap = 0; scrap < 40; ++scrap) {
      const std::uint64_t length = random() % 40;
      switch (random() % 5) {
        case 0:
          file.put(random() % file.log.writers.size(), random() % 100'000, length);
          break;
        case 1:
          file.insert(file.content.size(), zeros(length));
          break;
        case 2:
          file.insert(file.content.size(), pattern_bytes({5, 6, 7}, random() % 2 == 0, random() % 999, length));
          break;
        case 3:
          file.insert(file.content.size(), text("scrap of text", length));
          break;
        default:
          for (std::uint64_t i = 0; i < length; ++i) file.content.push_back(static_cast<std::byte>(random()));
      }
    }
    std::uint64_t end = 0;
    for (const Segment& segment : scan_file(file)) {
      ASSERT_EQ(segment.file_offset, end);
      ASSERT_GT(segment.length, 0U);
      end = segment.file_end();
      if (segment.content == Content::kOwn) {
        ASSERT_EQ(file.slice(segment.file_offset, segment.length),
                  file.stream(segment.tag.writer, segment.stream_offset, segment.length));
      }
    }
    ASSERT_EQ(end, file.content.size());
    const FileReport report = file.verify();  // and the classifier has an answer to all of it
    ASSERT_EQ(report.findings.size(), report.tally.total());
  }
}

INSTANTIATE_TEST_SUITE_P(BufferBytes, ScannerTest, testing::Values(64, 72, 4096, 256 * 1024));

TEST(WindowTest, ReadsAgainAtAnyPositionAndStopsAtAnEarlierEnd) {
  const Bytes content = text("0123456789abcdefghijklmnopqrstuvwxyz", 1'000);
  const Fd fd = temporary_file(content);
  std::vector<std::uint64_t> buffer(8);
  Window window(fd.get(), "f", 5'000, buffer);
  for (const std::uint64_t position : {0U, 8U, 3U, 500U, 499U, 990U}) {
    const auto bytes = window.bytes(position, 16);
    EXPECT_TRUE(
        std::ranges::equal(bytes, std::span(content).subspan(position, std::min<std::size_t>(16, 1'000 - position))));
    const auto words = window.words(position);
    EXPECT_EQ(words.empty(), false);
    EXPECT_TRUE(std::ranges::equal(std::as_bytes(words), std::span(content).subspan(position, words.size_bytes())));
  }
  EXPECT_EQ(window.size_bytes(), 1'000U);
  EXPECT_TRUE(window.words(993).empty());
}

TEST(WindowTest, NamesTheFileThatCannotBeRead) {
  std::vector<std::uint64_t> buffer(8);
  Window window(-1, "the-file", 5'000, buffer);
  try {
    window.bytes(16, 8);
    FAIL() << "read from a closed descriptor";
  } catch (const SystemError& error) {
    EXPECT_STREQ(error.what(), "read the-file at offset 16: Bad file descriptor (EBADF)");
  }
}

}  // namespace
}  // namespace writecanary::probe
