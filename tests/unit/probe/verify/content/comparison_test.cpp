#include "probe/verify/content/comparison.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace writecanary::probe {
namespace {

constexpr Tag kOwn{.run = 77, .file = 3};
constexpr std::size_t kBytes = 64 << 10;

std::vector<std::byte> stream(Tag tag, std::uint64_t offset, std::size_t count, bool incompressible = true) {
  std::vector<std::byte> bytes(count);
  Pattern(tag, incompressible).fill_bytes(offset, bytes);
  return bytes;
}

class ComparisonTest : public testing::TestWithParam<bool> {
 protected:
  std::vector<std::byte> own(std::uint64_t offset, std::size_t count) const {
    return stream(kOwn, offset, count, GetParam());
  }
  void put(std::size_t offset, const std::vector<std::byte>& bytes) {
    std::ranges::copy(bytes, found_.begin() + static_cast<std::ptrdiff_t>(offset));
  }
  // In pieces of this size.
  FileReport compare(std::size_t piece = kBytes) const {
    Comparison comparison("file-3", kOwn.run, GetParam(), 10);
    for (std::size_t offset = 0; offset < kBytes; offset += piece) {
      const std::size_t count = std::min(piece, kBytes - offset);
      comparison.add(offset, std::span(found_).subspan(offset, count), std::span(expected_).subspan(offset, count));
    }
    return comparison.report();
  }
  void expect_one(const FileReport& report, FindingKind kind, std::uint64_t offset, std::uint64_t length) const {
    ASSERT_EQ(report.findings.size(), 1U) << report.findings[1].detail;
    const Finding& finding = report.findings[0];
    EXPECT_EQ(to_string(finding.kind), to_string(kind)) << finding.detail;
    EXPECT_EQ(finding.offset_bytes, offset);
    EXPECT_EQ(finding.length_bytes, length);
    EXPECT_EQ(report.tally.count_of(kind), 1U);
    EXPECT_EQ(report.tally.bytes_of(kind), length);
    EXPECT_EQ(report.tally.total(), 1U);
    EXPECT_NE(finding.expected_hex, finding.found_hex);
  }

  static void expect_size(const FileReport& report, FindingKind kind) {
    ASSERT_EQ(report.findings.size(), 1U);
    EXPECT_EQ(report.findings[0].kind, kind);
    EXPECT_EQ(report.findings[0].offset_bytes, 100U);
    EXPECT_EQ(report.findings[0].length_bytes, 150U);
  }

  std::vector<std::byte> expected_ = own(0, kBytes);
  std::vector<std::byte> found_ = expected_;
};

TEST(ComparisonEnd, WhatAReadReturnedFromBehindTheEndIsAFindingOfItsOwn) {
  Comparison comparison("file-3", kOwn.run, true, 10);
  const auto right = stream(kOwn, 0, 1000);
  comparison.add(0, right, right);
  comparison.add_size(1000, 1000);
  comparison.add_behind_end(1000, 0);
  EXPECT_EQ(comparison.report().tally.total(), 0U);
  comparison.add_behind_end(1000, 96);
  ASSERT_EQ(comparison.report().findings.size(), 1U);
  const Finding& finding = comparison.report().findings[0];
  EXPECT_EQ(finding.kind, FindingKind::kSizeMismatch);
  EXPECT_EQ(finding.offset_bytes, 1000U);
  EXPECT_EQ(finding.length_bytes, 96U);
  EXPECT_EQ(comparison.report().tally.bytes_of(FindingKind::kSizeMismatch), 96U);
}

INSTANTIATE_TEST_SUITE_P(BothPatterns, ComparisonTest, testing::Bool());

TEST_P(ComparisonTest, RightBytesAreNoFinding) {
  const FileReport report = compare(4096);
  EXPECT_EQ(report.tally.total(), 0U);
  EXPECT_EQ(report.bytes_verified, kBytes);
}

TEST_P(ComparisonTest, Zeros) {
  put(8200, std::vector<std::byte>(5000));
  for (const std::size_t piece : {kBytes, std::size_t{4096}, std::size_t{8}}) {
    expect_one(compare(piece), FindingKind::kZeroed, 8200, 5000);
  }
}

TEST_P(ComparisonTest, OneBit) {
  found_[10'001] ^= std::byte{0x20};
  expect_one(compare(), FindingKind::kBitflip, 10'001, 1);
}

TEST_P(ComparisonTest, BytesOfAnotherPlaceInTheFile) {
  put(16'000, own(40'000, 800));
  const FileReport report = compare(4096);
  expect_one(report, FindingKind::kMisplaced, 16'000, 800);
  EXPECT_EQ(report.findings[0].source_offset_bytes, 40'000U);
}

TEST_P(ComparisonTest, BytesOfAnotherFileOrWriterOfTheRun) {
  put(16'000, stream({.run = 77, .file = 2}, 800, 4000, GetParam()));
  const FileReport report = compare();
  expect_one(report, FindingKind::kStale, 16'000, 4000);
  EXPECT_EQ(report.findings[0].source_offset_bytes, 800U);
  EXPECT_NE(report.findings[0].detail.find("of this run (tag 2)"), std::string::npos);
}

TEST_P(ComparisonTest, BytesOfAnotherRun) {
  put(16'000, stream({.run = 123, .file = 2}, 800, 4000, GetParam()));
  const FileReport report = compare();
  expect_one(report, FindingKind::kStale, 16'000, 4000);
  EXPECT_NE(report.findings[0].detail.find("another run (tag 123)"), std::string::npos);
}

TEST_P(ComparisonTest, BytesOfNobody) {
  std::vector<std::byte> text(999);
  std::ranges::generate(text, [i = 0]() mutable { return std::byte(0x40 + (i++ * 7) % 50); });
  put(20'000, text);
  found_[20'998] = ~expected_[20'998];  // so that the last one is wrong for certain
  found_[20'000] = ~expected_[20'000];
  expect_one(compare(), FindingKind::kForeign, 20'000, 999);
}

TEST_P(ComparisonTest, BytesThatWerePunchedOutStandAgain) {
  std::fill_n(expected_.begin() + 12'288, 4096, std::byte{0});
  expect_one(compare(), FindingKind::kStale, 12'288, 4096);
}

TEST_P(ComparisonTest, DifferencesApartAreCountedApartAndBeyondTheMostWanted) {
  for (std::size_t i = 0; i < 20; ++i) put(i * 3000 - i * 3000 % 8, std::vector<std::byte>(16));
  const FileReport report = compare();
  EXPECT_EQ(report.tally.count_of(FindingKind::kZeroed), 20U);
  EXPECT_EQ(report.tally.bytes_of(FindingKind::kZeroed), 320U);
  EXPECT_EQ(report.findings.size(), 10U);
}

TEST_P(ComparisonTest, TheSizeIsCompared) {
  Comparison shorter("f", kOwn.run, GetParam(), 10);
  shorter.add_size(100, 250);
  expect_size(shorter.report(), FindingKind::kMissing);
  Comparison longer("f", kOwn.run, GetParam(), 10);
  longer.add_size(250, 100);
  expect_size(longer.report(), FindingKind::kSizeMismatch);
  Comparison right("f", kOwn.run, GetParam(), 10);
  right.add_size(100, 100);
  EXPECT_EQ(right.report().tally.total(), 0U);
}

}  // namespace
}  // namespace writecanary::probe
