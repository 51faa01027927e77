#include "probe/verify/content/comparison.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "probe/verify/file_end.h"
#include "probe/verify/scanner.h"

namespace writecanary::probe {
namespace {

// A word of our own run by chance, in random bytes, is one in 16384; that it also lies within this much of its file's
// beginning is one in a hundred thousand.
constexpr std::uint64_t kPlausibleOffset = 1ULL << 32;

std::uint64_t word_of(std::span<const std::byte> bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data(), std::min(bytes.size(), sizeof word));
  return word;
}

// Every byte that is wrong is zero.
bool wrong_bytes_are_zero(std::span<const std::byte> found, std::span<const std::byte> expected) {
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i] != expected[i] && found[i] != std::byte{0}) return false;
  }
  return true;
}

bool all_zero(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

std::string to_hex(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes) text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return text;
}

std::string text_of(const Finding& finding, const Tag& other, std::uint16_t own_run) {
  const std::string bytes = fmt::format("{} byte{}", finding.length_bytes, finding.length_bytes == 1 ? "" : "s");
  switch (finding.kind) {
    case FindingKind::kZeroed:
      return bytes + " of zeros stand where written bytes belong";
    case FindingKind::kBitflip:
      return "a few bits are wrong within " + bytes;
    case FindingKind::kMisplaced:
      return fmt::format("{} that belong at offset {} stand here", bytes, finding.source_offset_bytes.value_or(0));
    case FindingKind::kStale:
      return fmt::format("{} of {} stand here, from its offset {}", bytes,
                         other.run == own_run ? fmt::format("an earlier write of this run (tag {})", other.file)
                                              : fmt::format("another run (tag {})", other.run),
                         finding.source_offset_bytes.value_or(0));
    default:
      return bytes + " stand here that no canary wrote";
  }
}

}  // namespace

Comparison::Comparison(std::string file, std::uint16_t run_tag, bool incompressible, std::size_t max_findings)
    : file_(std::move(file)),
      run_tag_(run_tag),
      incompressible_(incompressible),
      max_findings_(max_findings),
      page_bytes_(static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE))) {}

Comparison::Word Comparison::classify(std::span<const std::byte> found, std::span<const std::byte> expected,
                                      std::span<const std::byte> following) const {
  const bool whole = found.size() == kWordBytes;
  const std::uint64_t have = word_of(found), want = word_of(expected);
  if (have == 0) return {.kind = FindingKind::kZeroed, .whole = whole};
  const bool beside_zeros =
      (last_ && last_->word.kind == FindingKind::kZeroed) || (following.size() == kWordBytes && all_zero(following));
  if (wrong_bytes_are_zero(found, expected) && beside_zeros) return {.kind = FindingKind::kZeroed};
  if (std::popcount(have ^ want) <= kFlippedBitsMax) return {.kind = FindingKind::kBitflip};
  if (whole) {
    const DecodedWord origin = decode(have, incompressible_);
    const DecodedWord right = decode(want, incompressible_);
    if (origin.tag.run == run_tag_ && origin.stream_offset_bytes < kPlausibleOffset) {
      const bool same_stream = want != 0 && origin.tag == right.tag;
      return {same_stream ? FindingKind::kMisplaced : FindingKind::kStale, origin.stream_offset_bytes, origin.tag,
              true};
    }
    // Another run's words are known by going on from one to the next.
    if (following.size() == kWordBytes && origin.tag.run != 0) {
      const DecodedWord next = decode(word_of(following), incompressible_);
      if (next.tag == origin.tag && next.stream_offset_bytes == origin.stream_offset_bytes + kWordBytes) {
        return {FindingKind::kStale, origin.stream_offset_bytes, origin.tag, true};
      }
    }
    if (last_ && last_->word.kind == FindingKind::kStale && origin.tag == last_->word.other) {
      return {FindingKind::kStale, origin.stream_offset_bytes, origin.tag, true};
    }
  }
  return {.kind = wrong_bytes_are_zero(found, expected) ? FindingKind::kZeroed : FindingKind::kForeign};
}

bool Comparison::continues_last(const Word& word, std::uint64_t begin) const {
  if (!last_ || last_->word.kind != word.kind || word.kind == FindingKind::kBitflip) return false;
  if (begin - last_->end >= kWordBytes) return false;
  if (!word.source || !last_->word.source) return word.source.has_value() == last_->word.source.has_value();
  return word.other == last_->word.other && *word.source - begin == *last_->word.source - last_->begin;
}

void Comparison::begin_finding(const Word& word, std::uint64_t begin, std::uint64_t file_offset,
                               std::span<const std::byte> found, std::span<const std::byte> expected) {
  ++report_.tally.count[static_cast<std::size_t>(word.kind)];
  last_ = Last{word, begin, begin, report_.findings.size() < max_findings_};
  if (!last_->kept) return;
  Finding& finding = report_.findings.emplace_back();
  finding.kind = word.kind;
  finding.file = file_;
  finding.offset_bytes = begin;
  finding.source_offset_bytes = word.source;
  finding.page_aligned = begin % page_bytes_ == 0;
  const std::uint64_t before = std::min<std::uint64_t>(begin - file_offset, kHexContextBytes / 2);
  finding.context_offset_bytes = begin - before;
  const std::size_t at = finding.context_offset_bytes - file_offset;
  const std::size_t count = std::min<std::size_t>(kHexContextBytes, found.size() - at);
  finding.expected_hex = to_hex(expected.subspan(at, count));
  finding.found_hex = to_hex(found.subspan(at, count));
}

void Comparison::extend_last(std::uint64_t end) {
  report_.tally.bytes[static_cast<std::size_t>(last_->word.kind)] += end - last_->end;
  last_->end = end;
  if (!last_->kept) return;
  Finding& finding = report_.findings.back();
  finding.length_bytes = end - last_->begin;
  finding.detail = text_of(finding, last_->word.other, run_tag_);
}

void Comparison::add(std::uint64_t file_offset, std::span<const std::byte> found, std::span<const std::byte> expected) {
  WC_CHECK(found.size() == expected.size());
  report_.bytes_verified += found.size();
  if (std::memcmp(found.data(), expected.data(), found.size()) == 0) return;
  for (std::size_t i = 0; i < found.size();) {
    const auto differs = std::mismatch(found.begin() + static_cast<std::ptrdiff_t>(i), found.end(),
                                       expected.begin() + static_cast<std::ptrdiff_t>(i));
    if (differs.first == found.end()) return;
    const auto first = static_cast<std::size_t>(differs.first - found.begin());
    const std::size_t lead = std::min<std::size_t>((file_offset + first) % kWordBytes, first);
    const std::size_t word_begin = first - lead;
    const std::size_t word_end =
        std::min<std::size_t>(found.size(), word_begin + kWordBytes - (file_offset + word_begin) % kWordBytes);
    std::size_t end = word_end;
    while (found[end - 1] == expected[end - 1]) --end;

    const Word word =
        classify(found.subspan(word_begin, word_end - word_begin), expected.subspan(word_begin, word_end - word_begin),
                 found.subspan(word_end, std::min<std::size_t>(kWordBytes, found.size() - word_end)));
    const std::uint64_t begin = file_offset + (word.whole ? word_begin : first);
    if (!continues_last(word, begin)) begin_finding(word, begin, file_offset, found, expected);
    extend_last(file_offset + (word.whole ? word_end : end));
    i = word_end;
  }
}

void Comparison::add_size(std::uint64_t size_bytes, std::uint64_t expected_bytes) {
  report_.size_bytes = size_bytes;
  if (size_bytes == expected_bytes) return;
  const bool shorter = size_bytes < expected_bytes;
  const std::uint64_t begin = std::min(size_bytes, expected_bytes);
  const std::uint64_t length = std::max(size_bytes, expected_bytes) - begin;
  const FindingKind kind = shorter ? FindingKind::kMissing : FindingKind::kSizeMismatch;
  report_.tally.add(kind, length);
  if (report_.findings.size() >= max_findings_) return;
  Finding& finding = report_.findings.emplace_back();
  finding.kind = kind;
  finding.file = file_;
  finding.offset_bytes = begin;
  finding.length_bytes = length;
  finding.page_aligned = begin % page_bytes_ == 0;
  finding.detail = fmt::format("the file has {} bytes and must have {}", size_bytes, expected_bytes);
}

void Comparison::add_behind_end(std::uint64_t end_bytes, std::uint64_t returned_bytes) {
  if (returned_bytes == 0) return;
  report_.tally.add(FindingKind::kSizeMismatch, returned_bytes);
  if (report_.findings.size() >= max_findings_) return;
  report_.findings.push_back(behind_end(file_, end_bytes, returned_bytes));
}

}  // namespace writecanary::probe
