#include "probe/verify/scanner.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>

#include "probe/verify/extensions.h"
#include "probe/verify/recognizer.h"
#include "probe/verify/segment_list.h"

namespace writecanary::probe {
namespace {

using WordBytes = std::array<std::byte, kWordBytes>;

bool differs_by_few_bits(std::uint64_t a, std::uint64_t b) { return a != b && std::popcount(a ^ b) <= kFlippedBitsMax; }

class Scanner {
 public:
  Scanner(Window& window, const LogIndex& index)
      : window_(window),
        index_(index),
        recognizer_(window, index),
        segments_max_(kSegmentsMax + 4 * index.write_count()) {
    // A single writer's file begins with its stream; of several writers any may be the first.
    if (index.writers() == 1) left_ = recognizer_.own_run(0, 0, 0);
  }

  std::vector<Segment> scan() {
    grow();
    while (left_.end < window_.size_bytes() && segments_.size() < segments_max_) {
      if (is_flip_behind_left()) {
        append_flip(left_, left_.end);
        left_.end += kWordBytes;
        left_.stream_end += kWordBytes;
      } else {
        find_next_run();
      }
      grow();
    }
    segments_.append({.file_offset = left_.end, .length = window_.size_bytes() - left_.end});
    return segments_.take();
  }

 private:
  // Follows left_ as far as it goes and appends what it covers.
  void grow() {
    const std::uint64_t begin = left_.end;
    while (true) {
      const auto words = window_.words(left_.end);
      const std::size_t wanted = std::min<std::uint64_t>(words.size(), words_left());
      const std::size_t matched = count_matching(words.first(wanted));
      left_.end += matched * kWordBytes;
      if (left_.pattern) left_.stream_end += matched * kWordBytes;
      if (matched < wanted || wanted < words.size() || words.empty()) break;
    }
    append_run(left_, begin, left_.end);
  }

  std::uint64_t words_left() const {
    if (!left_.pattern) return kStreamBytesMax;
    return left_.stream_max > left_.stream_end ? (left_.stream_max - left_.stream_end) / kWordBytes : 0;
  }

  std::size_t count_matching(std::span<const std::uint64_t> words) const {
    if (left_.pattern) return left_.pattern->match(left_.stream_end, words);
    if (left_.content != Content::kZeros) return 0;
    return static_cast<std::size_t>(std::ranges::find_if(words, [](auto word) { return word != 0; }) - words.begin());
  }

  // Bytes [begin, end) of the file, which the run covers up to its own end.
  void append_run(const WordRun& run, std::uint64_t begin, std::uint64_t end) {
    Segment segment{.file_offset = begin, .length = end - begin, .content = run.content, .tag = run.tag};
    if (run.pattern) segment.stream_offset = run.stream_end - (run.end - begin);
    append(segment);
  }

  void append(const Segment& segment) {
    segments_.append(segment);
    recognizer_.note(segment);
  }

  bool is_flip_behind_left() {
    const auto expected = left_.content == Content::kOwn ? left_.next_word() : std::nullopt;
    const auto found = recognizer_.peek(left_.end);
    if (!expected || !found.first || !differs_by_few_bits(*found.first, *expected)) return false;
    if (found.second == left_.next_word(1) && found.second) return true;
    if (!found.second) return !recognizer_.is_in_order(*found.first);
    // Behind the last word of a write something else may follow; then the word must not make sense by itself.
    return index_.ends_write(left_.tag.writer, left_.stream_end + kWordBytes) &&
           !recognizer_.identify(left_.end, true) && recognizer_.identify(left_.end + kWordBytes, true);
  }

  // The word at `position` differs in a few bits from what the run has `at its end`.
  void append_flip(const WordRun& run, std::uint64_t position) {
    WordBytes found;
    std::ranges::copy(window_.bytes(position, kWordBytes), found.begin());
    const auto expected = std::bit_cast<WordBytes>(*run.next_word());
    std::size_t first = 0;
    while (found[first] == expected[first]) ++first;
    std::size_t end = kWordBytes;
    while (found[end - 1] == expected[end - 1]) --end;
    Segment segment{.file_offset = position,
                    .length = first,
                    .content = Content::kOwn,
                    .tag = run.tag,
                    .stream_offset = run.stream_end};
    if (first > 0) append(segment);
    append({position + first, end - first, Content::kFlipped, run.tag, run.stream_end + first});
    segment = {position + end, kWordBytes - end, Content::kOwn, run.tag, run.stream_end + end};
    if (end < kWordBytes) append(segment);
  }

  // Makes the next run left_, of no words yet, and appends the bytes between the two.
  void find_next_run() {
    std::uint64_t position = left_.end;
    std::optional<WordRun> right;
    for (; position < window_.size_bytes(); ++position) {
      right = recognizer_.identify(position, (position - left_.end) % kWordBytes == 0);
      if (right) break;
    }
    append_between(right, position);
    if (!right) right = WordRun{.end = position};
    left_ = *right;
  }

  // The bytes between left_ and the first word of the right run are given to the one that they continue, own
  // streams first; the rest is unknown, or zeros if it is short and nothing else.
  void append_between(const std::optional<WordRun>& right, std::uint64_t right_begin) {
    if (right_begin == left_.end) return;
    const bool left_first = left_.content == Content::kOwn;
    std::uint64_t begin = left_.end;
    std::uint64_t end = right_begin;
    if (left_first) begin += continued(left_, begin, end);
    if (right) end -= continued_backwards(*right, begin, end);
    if (right && begin < end && is_flip_before(*right, right_begin)) {
      WordRun flipped = *right;
      flipped.stream_end -= kWordBytes;
      append_flip(flipped, left_.end);
      return;
    }
    if (!left_first) begin += continued(left_, begin, end);
    append_run(left_, left_.end, begin);
    append({.file_offset = begin, .length = end - begin, .content = rest_content(begin, end)});
    if (right) append_run(*right, end, right_begin);
  }

  bool is_flip_before(const WordRun& right, std::uint64_t right_begin) {
    if (right.content != Content::kOwn || right_begin - left_.end != kWordBytes || right.stream_end < kWordBytes) {
      return false;
    }
    if (left_.content != Content::kOwn && left_.end != 0) return false;
    return differs_by_few_bits(*recognizer_.peek(left_.end).first,
                               right.pattern->word(right.stream_end / kWordBytes - 1));
  }

  // How many of the bytes [begin, end) go on with the run; always less than a word.
  std::uint64_t continued(const WordRun& run, std::uint64_t begin, std::uint64_t end) {
    if (!run.pattern) return 0;
    WordBytes expected;
    run.pattern->fill_bytes(run.stream_end, expected);
    const std::uint64_t limit = std::min({end - begin, run.stream_max - run.stream_end, kWordBytes});
    const auto found = window_.bytes(begin, limit);
    return static_cast<std::uint64_t>(std::ranges::mismatch(found, expected).in1 - found.begin());
  }

  // The same towards the beginning.
  std::uint64_t continued_backwards(const WordRun& run, std::uint64_t begin, std::uint64_t end) {
    if (!run.pattern) return 0;
    const std::uint64_t limit = std::min({end - begin, run.stream_end, kWordBytes});
    WordBytes expected{};
    const std::span<std::byte> tail = std::span(expected).first(limit);
    run.pattern->fill_bytes(run.stream_end - limit, tail);
    const auto found = window_.bytes(end - limit, limit);
    std::uint64_t count = 0;
    while (count < limit && found[limit - 1 - count] == tail[limit - 1 - count]) ++count;
    return count;
  }

  Content rest_content(std::uint64_t begin, std::uint64_t end) {
    if (end - begin >= 2 * kWordBytes) return Content::kUnknown;
    const auto found = window_.bytes(begin, end - begin);
    return std::ranges::all_of(found, [](std::byte byte) { return byte == std::byte{0}; }) ? Content::kZeros
                                                                                           : Content::kUnknown;
  }

  Window& window_;
  const LogIndex& index_;
  Recognizer recognizer_;
  std::size_t segments_max_;
  SegmentList segments_;
  WordRun left_;  // the last run; ends where the scanner stands
};

}  // namespace

std::vector<Segment> scan(Window& window, const LogIndex& index) {
  return with_extensions(Scanner(window, index).scan(), index.log());
}

}  // namespace writecanary::probe
