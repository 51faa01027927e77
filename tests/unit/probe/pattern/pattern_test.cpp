#include "probe/pattern/pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <set>
#include <vector>

namespace writecanary::probe {
namespace {

constexpr Tag kTag{.run = 0x2abc, .file = 0x1234, .writer = 5};

class PatternTest : public testing::TestWithParam<bool> {
 protected:
  std::vector<std::uint64_t> filled(std::uint64_t stream_offset, std::size_t words) const {
    std::vector<std::uint64_t> out(words);
    pattern_.fill(stream_offset, out);
    return out;
  }

  Pattern pattern_{kTag, GetParam()};
};

TEST_P(PatternTest, EveryWordSaysWhereItBelongs) {
  for (const std::uint64_t offset :
       {std::uint64_t{0}, std::uint64_t{4096}, (std::uint64_t{5} << 30) + 8, kStreamBytesMax - 100 * kWordBytes}) {
    const auto words = filled(offset, 100);
    for (std::size_t i = 0; i < words.size(); ++i) {
      const DecodedWord decoded = decode(words[i], GetParam());
      EXPECT_EQ(decoded.tag, kTag);
      EXPECT_EQ(decoded.stream_offset_bytes, offset + i * kWordBytes);
      EXPECT_EQ(words[i], pattern_.word(offset / kWordBytes + i));
      EXPECT_NE(words[i], 0U);
    }
  }
}

TEST_P(PatternTest, ExtremeTagsDecode) {
  for (const Tag tag : {Tag{1, 0, 0}, Tag{kRunTagMax, kFileTagMax, kWriterTagMax}, Tag{1, kFileTagMax, 0}}) {
    EXPECT_EQ(decode(Pattern(tag, GetParam()).word(0), GetParam()).tag, tag);
    EXPECT_NE(Pattern(tag, GetParam()).word(0), 0U);
  }
}

TEST_P(PatternTest, MatchStopsAtTheFirstWrongWordWhereverItIs) {
  for (const std::size_t size : {1UL, 7UL, 63UL, 64UL, 65UL, 200UL}) {
    auto words = filled(4096, size);
    EXPECT_EQ(pattern_.match(4096, words), size);
    EXPECT_EQ(pattern_.match(4104, words), 0U);
    for (std::size_t wrong = 0; wrong < size; ++wrong) {
      words[wrong] ^= 1ULL << (wrong % 64);
      EXPECT_EQ(pattern_.match(4096, words), wrong);
      words[wrong] ^= 1ULL << (wrong % 64);
    }
  }
}

TEST_P(PatternTest, FillAtAnyByteIsACutOutOfTheSameStream) {
  const auto words = filled(800, 64);
  std::array<std::byte, 100> bytes;
  for (std::size_t offset = 0; offset < 2 * kWordBytes; ++offset) {
    pattern_.fill_bytes(800 + offset, bytes);
    EXPECT_EQ(std::memcmp(bytes.data(), reinterpret_cast<const char*>(words.data()) + offset, bytes.size()), 0);
    const auto shifted = filled(800 + offset, 12);
    EXPECT_EQ(std::memcmp(shifted.data(), bytes.data(), 12 * kWordBytes), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(RawAndMixed, PatternTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Incompressible" : "Raw"; });

TEST(PatternEntropyTest, IncompressibleBytesAreEvenlySpread) {
  std::vector<std::uint64_t> words(std::size_t{32} << 10);
  Pattern(kTag, true).fill(1 << 20, words);
  std::array<double, 256> count{};
  for (const std::byte byte : std::as_bytes(std::span(words))) ++count[std::to_integer<std::size_t>(byte)];
  double entropy = 0;
  for (const double n : count) {
    const double share = n / static_cast<double>(words.size() * kWordBytes);
    if (share > 0) entropy -= share * std::log2(share);
  }
  EXPECT_GT(entropy, 7.99);

  // No four bytes come often enough for a dictionary to help.
  std::set<std::uint32_t> quads;
  for (const std::uint64_t word : words)
    quads.insert({static_cast<std::uint32_t>(word), static_cast<std::uint32_t>(word >> 32)});
  EXPECT_GT(quads.size(), 2 * words.size() * 99 / 100);
}

TEST(RunTagTest, IsStableNeverZeroAndSpread) {
  EXPECT_EQ(run_tag("r-1", 1), run_tag("r-1", 1));
  std::set<std::uint16_t> tags;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const std::uint16_t tag = run_tag("r-1", seed);
    EXPECT_NE(tag, 0);
    EXPECT_LE(tag, kRunTagMax);
    tags.insert(tag);
  }
  EXPECT_GT(tags.size(), 950U);
  EXPECT_NE(run_tag("r-1", 7), run_tag("r-2", 7));
}

TEST(PatternDeathTest, RefusesTagsThatDoNotFit) {
  EXPECT_DEATH(Pattern(Tag{0, 1, 0}, true), "check failed");
  EXPECT_DEATH(Pattern(Tag{1, 1 << 14, 0}, true), "check failed");
  EXPECT_DEATH(Pattern(Tag{1, 1, 16}, true), "check failed");
}

}  // namespace
}  // namespace writecanary::probe
