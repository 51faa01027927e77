// Random logs, undamaged and with one damage of one kind at a random place. Seeded: a failure names its round.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/unit/probe/file_under_test.h"

namespace writecanary::probe {
namespace {

using enum FindingKind;

constexpr int kRounds = 150;

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }
  std::uint64_t between(std::uint64_t low, std::uint64_t high) { return low + below(high - low + 1); }

 private:
  std::mt19937_64 engine_;
};

// One writer, short results among the writes; the last one is complete, so that nothing may follow it.
FileUnderTest random_file(Random& random) {
  FileUnderTest file(1, random.below(2) == 0);
  const std::uint64_t writes = random.between(2, 12);
  for (std::uint64_t i = 0; i < writes; ++i) {
    const std::uint64_t length = 8 * random.between(100, 4'000);
    const bool is_short = i + 1 < writes && random.below(4) == 0;
    const std::uint64_t result = is_short ? 8 * random.between(1, length / 8) : length;
    const WriteRef write = file.log_write(length, 0, static_cast<std::int64_t>(result));
    file.put(0, write.stream_offset_bytes, result);
  }
  return file;
}

struct Place {
  std::uint64_t offset;
  std::uint64_t length;
};

// Words inside the file with at least two whole words on either side.
Place random_place(Random& random, const FileUnderTest& file) {
  const std::uint64_t words = file.content.size() / 8;
  const std::uint64_t length = random.between(2, words / 4);
  return {8 * random.between(2, words - length - 2), 8 * length};
}

using Damage = Brief (*)(Random&, FileUnderTest&);

Brief duplicate(Random& random, FileUnderTest& file) {
  const auto [offset, length] = random_place(random, file);
  const Bytes bytes = file.slice(offset, length);
  const std::uint64_t target = 8 * random.between((offset + length) / 8, file.content.size() / 8);
  file.insert(target, bytes);
  return {kDuplicate, target, length, offset};
}

Brief drop(Random& random, FileUnderTest& file) {
  const auto [offset, length] = random_place(random, file);
  file.erase(offset, length);
  return {kMissing, offset, length, offset};
}

Brief drop_unaligned(Random& random, FileUnderTest& file) {
  auto [offset, length] = random_place(random, file);
  offset += random.between(1, 7), length -= random.between(1, 7);
  // Which of some equal bytes is gone cannot be told: both ends must differ from what comes in their place.
  const Bytes& bytes = file.content;
  while (bytes[offset] == bytes[offset + length] || bytes[offset - 1] == bytes[offset + length - 1]) ++offset;
  file.erase(offset, length);
  return {kMissing, offset, length, offset};
}

Brief move(Random& random, FileUnderTest& file) {
  const auto [offset, length] = random_place(random, file);
  const Bytes moved = file.slice(offset, length);
  const std::uint64_t distance = 8 * random.between(2, (file.content.size() - offset - length) / 8);
  file.erase(offset, length);
  file.insert(offset + distance, moved);
  return {kMisplaced, offset + distance, length, offset};
}

Brief zero(Random& random, FileUnderTest& file) {
  const auto [offset, length] = random_place(random, file);
  file.overwrite(offset, zeros(length));
  return {kZeroed, offset, length, {}};
}

Brief foreign_unaligned(Random& random, FileUnderTest& file) {
  auto [offset, length] = random_place(random, file);
  offset += random.below(8), length += random.below(8);
  // Nothing in the text equals what it replaces at its ends, so that its extent is beyond doubt.
  Bytes bytes = text("Lorem ipsum dolor sit amet ", length);
  for (const std::uint64_t edge : {std::uint64_t{0}, length - 1})
    bytes[edge] = file.content[offset + edge] ^ std::byte{0xff};
  file.overwrite(offset, bytes);
  return {kForeign, offset, length, {}};
}

Brief stale(Random& random, FileUnderTest& file) {
  const auto [offset, length] = random_place(random, file);
  const Tag tag{.run = static_cast<std::uint16_t>(random.between(1, 76)),
                .file = static_cast<std::uint16_t>(random.below(kFileTagMax)),
                .writer = static_cast<std::uint8_t>(random.below(16))};
  const std::uint64_t source = random.below(2) == 0 ? offset : 8 * random.below(1 << 20);
  file.overwrite(offset, pattern_bytes(tag, file.log.incompressible, source, length));
  return {kStale, offset, length, source};
}

Brief flip(Random& random, FileUnderTest& file) {
  const std::uint64_t offset = random.below(file.content.size());
  file.flip(offset, static_cast<unsigned char>(1U << random.below(8)));
  return {kBitflip, offset, 1, offset};
}

Brief truncate(Random& random, FileUnderTest& file) {
  const std::uint64_t size = file.content.size();
  const std::uint64_t left = random.below(size);
  file.content.resize(left);
  return {kMissing, left, size - left, left};
}

Brief extend(Random& random, FileUnderTest& file) {
  const std::uint64_t size = file.content.size();
  Bytes extra =
      random.below(2) == 0 ? zeros(random.between(1, 10'000)) : text("beyond the end", random.between(1, 10'000));
  // Not by chance what a short write left behind.
  if (extra[0] == file.stream(0, size, 1)[0]) extra[0] ^= std::byte{0xff};
  file.insert(size, extra);
  return {kSizeMismatch, size, extra.size(), {}};
}

struct Kind {
  const char* name;
  Damage damage;
};

class OneDamage : public testing::TestWithParam<Kind> {};

TEST_P(OneDamage, IsExactlyTheFinding) {
  for (int round = 0; round < kRounds; ++round) {
    Random random(static_cast<std::uint64_t>(round) + 1);
    FileUnderTest file = random_file(random);
    const Brief expected = GetParam().damage(random, file);
    ASSERT_EQ(briefs(file.verify()), std::vector{expected}) << "round " << round;
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, OneDamage,
                         testing::Values(Kind{"Duplicate", duplicate}, Kind{"Drop", drop},
                                         Kind{"DropUnaligned", drop_unaligned}, Kind{"Move", move}, Kind{"Zero", zero},
                                         Kind{"ForeignUnaligned", foreign_unaligned}, Kind{"Stale", stale},
                                         Kind{"Flip", flip}, Kind{"Truncate", truncate}, Kind{"Extend", extend}),
                         [](const auto& info) { return info.param.name; });

TEST(UndamagedProperty, OneWriterWithShortResultsAndLeftoversOfFailedWrites) {
  for (int round = 0; round < kRounds; ++round) {
    Random random(static_cast<std::uint64_t>(round) + 1000);
    FileUnderTest file(1, random.below(2) == 0);
    for (int i = 0; i < 12; ++i) {
      const std::uint64_t length = 8 * random.between(1, 2'000);
      const bool is_short = random.below(3) == 0;
      // Scraps of less than a word are not recognised where nothing leads up to them.
      std::uint64_t result = is_short ? random.below(length) : length;
      if (result < 16 && is_short) result = 0;
      const WriteRef write =
          file.log_write(length, 0, is_short && result == 0 ? -5 : static_cast<std::int64_t>(result));
      const std::uint64_t left =
          is_short && result == 0 && length > 16 && random.below(2) == 0 ? random.between(16, length - result) : 0;
      file.put(0, write.stream_offset_bytes, result + left);
    }
    ASSERT_EQ(briefs(file.verify()), std::vector<Brief>{}) << "round " << round;
  }
}

TEST(UndamagedProperty, ManyWritersOfWords) {
  for (int round = 0; round < kRounds; ++round) {
    Random random(static_cast<std::uint64_t>(round) + 2000);
    const auto writers = static_cast<std::uint32_t>(random.between(2, 8));
    FileUnderTest file(writers, random.below(2) == 0);
    for (int i = 0; i < 60; ++i)
      file.write(8 * random.between(1, 300), static_cast<std::uint32_t>(random.below(writers)));
    ASSERT_EQ(briefs(file.verify()), std::vector<Brief>{}) << "round " << round;
  }
}

// Records among other writers' records: one is torn by a random one at a random place.
TEST(TornProperty, OneRecordInsideAnother) {
  for (int round = 0; round < kRounds; ++round) {
    Random random(static_cast<std::uint64_t>(round) + 3000);
    FileUnderTest file(3, random.below(2) == 0);
    const auto others = [&] {
      for (int i = 0; i < 10; ++i) file.write(8 * random.between(1, 300), static_cast<std::uint32_t>(random.below(3)));
    };
    others();
    const WriteRef big = file.log_write(8 * random.between(2, 2'000), 1);
    const WriteRef small = file.log_write(8 * random.between(1, 300), random.below(2) == 0 ? 0 : 2);
    const std::uint64_t head = 8 * random.between(1, big.length_bytes / 8 - 1);
    file.put(1, big.stream_offset_bytes, head);
    const std::uint64_t offset = file.content.size();
    file.put(small.writer, small.stream_offset_bytes, small.length_bytes);
    const bool again = head >= 16 && random.below(2) == 0;  // as affected kernels do
    const std::uint64_t begin = big.stream_offset_bytes + (again ? 0 : head);
    std::vector<Brief> expected{{kTorn, offset, small.length_bytes, big.stream_offset_bytes + head}};
    if (again) expected.push_back({kDuplicate, file.content.size(), head, big.stream_offset_bytes});
    file.put(1, begin, big.length_bytes - (again ? 0 : head));
    others();
    ASSERT_EQ(briefs(file.verify()), expected) << "round " << round;
  }
}

TEST(AnyContent, HasAnAnswer) {
  for (int round = 0; round < 40; ++round) {
    Random random(static_cast<std::uint64_t>(round) + 4000);
    FileUnderTest file = random_file(random);
    const std::uint64_t size = random.below(30'000);
    file.content.resize(size);
    for (std::byte& byte : file.content) byte = static_cast<std::byte>(random.below(256));
    const FileReport report = file.verify();
    ASSERT_EQ(report.findings.size(), report.tally.total());
    ASSERT_GT(report.tally.total(), 0U);
  }
}

}  // namespace
}  // namespace writecanary::probe
