#include "probe/verify/recognizer.h"

#include <algorithm>
#include <cstring>

namespace writecanary::probe {
namespace {

std::uint64_t load_word(std::span<const std::byte> bytes) {
  std::uint64_t word;
  std::memcpy(&word, bytes.data(), sizeof(word));
  return word;
}

// The pattern of any run or file; two words must agree on it.
std::optional<WordRun> identify_other(std::uint64_t position, const Recognizer::WordPair& found, bool incompressible) {
  const DecodedWord word = decode(*found.first, incompressible);
  if (word.tag.run == 0 || !found.second) return std::nullopt;
  WordRun run{Content::kOther, word.tag, Pattern(word.tag, incompressible),
              kStreamBytesMax, position, word.stream_offset_bytes};
  if (found.second != run.next_word(1)) return std::nullopt;
  return run;
}

}  // namespace

std::optional<std::uint64_t> WordRun::next_word(std::uint64_t words) const {
  const std::uint64_t offset = stream_end + words * kWordBytes;
  if (!pattern || offset + kWordBytes > stream_max) return std::nullopt;
  return pattern->word(offset / kWordBytes);
}

Recognizer::Recognizer(Window& window, const LogIndex& index)
    : window_(window), index_(index), next_(index.writers(), 0), high_(index.writers(), 0) {}

std::optional<WordRun> Recognizer::identify(std::uint64_t position, bool on_word) {
  const WordPair found = peek(position);
  if (!found.first) return std::nullopt;
  if (auto own = identify_own(position, found)) return own;
  for (const bool incompressible : {index_.log().incompressible, !index_.log().incompressible}) {
    auto other = identify_other(position, found, incompressible);
    // Across words, two can agree by chance where raw words of this file meet.
    if (other && (on_word || peek(position + 2 * kWordBytes).first == other->next_word(2))) return other;
  }
  if (on_word && *found.first == 0) return WordRun{.content = Content::kZeros, .end = position};
  return std::nullopt;
}

WordRun Recognizer::own_run(std::uint32_t writer, std::uint64_t position, std::uint64_t stream_offset) const {
  Tag tag = index_.log().tag;
  tag.writer = static_cast<std::uint8_t>(writer);
  return {Content::kOwn, tag, index_.pattern(writer), index_.attempted_bytes(writer), position, stream_offset};
}

bool Recognizer::is_in_order(std::uint64_t word) const {
  const DecodedWord decoded = decode(word, index_.log().incompressible);
  return is_own(decoded.tag) && is_in_order(decoded);
}

void Recognizer::note(const Segment& segment) {
  if (segment.content != Content::kOwn && segment.content != Content::kFlipped) return;
  const std::uint8_t writer = segment.tag.writer;
  next_[writer] = segment.stream_end();
  high_[writer] = std::max(high_[writer], segment.stream_end());
  shift_ = segment.file_offset - segment.stream_offset;
  shift_writer_ = writer;
}

Recognizer::WordPair Recognizer::peek(std::uint64_t position) {
  const auto bytes = window_.bytes(position, 2 * kWordBytes);
  WordPair pair;
  if (bytes.size() >= kWordBytes) pair.first = load_word(bytes);
  if (bytes.size() >= 2 * kWordBytes) pair.second = load_word(bytes.subspan(kWordBytes));
  return pair;
}

bool Recognizer::is_own(const Tag& tag) const {
  const Tag& own = index_.log().tag;
  return tag.run == own.run && tag.file == own.file && tag.writer < index_.writers();
}

bool Recognizer::is_in_order(const DecodedWord& word) const {
  return word.stream_offset_bytes == next_[word.tag.writer] || word.stream_offset_bytes == high_[word.tag.writer];
}

std::optional<WordRun> Recognizer::identify_own(std::uint64_t position, const WordPair& found) const {
  const DecodedWord word = decode(*found.first, index_.log().incompressible);
  if (!is_own(word.tag)) return std::nullopt;
  WordRun run = own_run(word.tag.writer, position, word.stream_offset_bytes);
  if (!run.next_word()) return std::nullopt;
  const bool is_last = !found.second;
  const bool continues = found.second && found.second == run.next_word(1);
  const bool in_place = word.tag.writer == shift_writer_ && position - word.stream_offset_bytes == shift_;
  if (is_last || continues || in_place || is_in_order(word)) return run;
  return std::nullopt;
}

}  // namespace writecanary::probe
