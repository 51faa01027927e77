// What the canary writes: 64-bit words that say, each alone, which run, file, writer and place they belong to.
//
// Because every word names its place, a word found in the wrong one tells where it came from: bytes of an earlier file
// or run are told apart from bytes of this file that stand twice. On request the words are passed through a fixed
// bijection, which makes them incompressible and still readable, whoever wrote them.
// Which bytes a writer writes when is probe/pattern/plan.h; what found words mean is probe/verify/scanner.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace writecanary::probe {

// Whose word it is. The word itself carries run (14 bits), file (14), writer (4) and its index in the stream (32).
struct Tag {
  std::uint16_t run = 0;  // never 0 in a word that was written
  std::uint16_t file = 0;
  std::uint8_t writer = 0;

  friend bool operator==(const Tag&, const Tag&) = default;
};

inline constexpr std::uint16_t kRunTagMax = (1U << 14) - 1;
inline constexpr std::uint16_t kFileTagMax = (1U << 14) - 1;
inline constexpr std::uint8_t kWriterTagMax = (1U << 4) - 1;
inline constexpr std::uint64_t kWordBytes = sizeof(std::uint64_t);
// Reach of the index: what one writer can write to one file.
inline constexpr std::uint64_t kStreamBytesMax = (std::uint64_t{1} << 32) * kWordBytes;

// The endless stream of one writer in one file. A value; safe from any thread. No stored word is 0.
class Pattern {
 public:
  // The tag must be within the limits above and its run not 0.
  Pattern(Tag tag, bool incompressible);

  // Writes the stream from the given offset on. Any offset, but only multiples of kWordBytes are fast.
  void fill(std::uint64_t stream_offset_bytes, std::span<std::uint64_t> out) const;
  // The same for any number of bytes at any offset; not fast.
  void fill_bytes(std::uint64_t stream_offset_bytes, std::span<std::byte> out) const;
  std::uint64_t word(std::uint64_t word_index) const;
  // How many of the words, from the first on, are as the stream has them from the given offset (a multiple of
  // kWordBytes) on.
  std::size_t match(std::uint64_t stream_offset_bytes, std::span<const std::uint64_t> words) const;

 private:
  std::uint64_t base_;  // the raw word with index 0
  bool incompressible_;
};

struct DecodedWord {
  Tag tag;
  std::uint64_t stream_offset_bytes = 0;
};

// Every 64-bit value decodes to something; run 0 was never written. Whether to believe it is the scanner's question.
DecodedWord decode(std::uint64_t stored, bool incompressible);

// The run field for a run; never 0. Different runs get different tags but for one chance in 16383.
std::uint16_t run_tag(std::string_view run_id, std::uint64_t seed);

}  // namespace writecanary::probe
