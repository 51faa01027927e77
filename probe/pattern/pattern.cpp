#include "probe/pattern/pattern.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "core/base/error.h"
#include "core/base/hash.h"
#include "probe/pattern/plan.h"

namespace writecanary::probe {
namespace {

constexpr int kRunShift = 50;
constexpr int kFileShift = 36;
constexpr int kWriterShift = 32;
constexpr std::uint64_t kIndexMask = 0xffff'ffff;

// The bijection that makes words incompressible. It keeps 0 apart from everything else, so a stored word is never 0.
// Two multiplications are enough: gzip, xz and zstd at their best save less than 0.3 % of its output.
constexpr std::uint64_t kMix1 = 0x9e37'79b9'7f4a'7c15;
constexpr std::uint64_t kMix2 = 0xd6e8'feb8'6659'fd93;

template <typename Value>
[[gnu::always_inline]] inline void mix(Value& value) {
  value *= kMix1;
  value ^= value >> 32;
  value *= kMix2;
}

// Inverse of an odd number modulo 2^64; every step of Newton's doubles the number of right bits.
constexpr std::uint64_t inverse(std::uint64_t odd) {
  std::uint64_t result = odd;
  for (int bits = 3; bits < 64; bits *= 2) result *= 2 - odd * result;
  return result;
}

constexpr std::uint64_t unmix(std::uint64_t value) {
  value *= inverse(kMix2);
  value ^= value >> 32;
  return value * inverse(kMix1);
}

template <bool kMixed>
[[gnu::always_inline]] inline std::uint64_t stored(std::uint64_t raw) {
  if constexpr (kMixed) mix(raw);
  return raw;
}

// Vectors of the compiler instead of loops that it may vectorise: the same speed at every optimisation level.
template <int kBytes>
struct Lanes {
  typedef std::uint64_t Type __attribute__((vector_size(kBytes)));  // g++ drops the attribute from a dependent using
  static constexpr std::size_t kCount = kBytes / kWordBytes;
};

template <int kBytes>
[[gnu::always_inline]] inline void count_up(typename Lanes<kBytes>::Type& lanes, std::uint64_t first) {
  for (std::size_t i = 0; i < Lanes<kBytes>::kCount; ++i) lanes[i] = first + i;
}

template <int kBytes, bool kMixed>
[[gnu::always_inline]] inline void fill_words(std::uint64_t raw, std::uint64_t* out, std::size_t count) {
  constexpr std::size_t kLanes = Lanes<kBytes>::kCount;
  typename Lanes<kBytes>::Type next;
  count_up<kBytes>(next, raw);
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes, next += kLanes) {
    auto words = next;
    if constexpr (kMixed) mix(words);
    std::memcpy(out + i, &words, sizeof(words));
  }
  for (; i < count; ++i) out[i] = stored<kMixed>(raw + i);
}

template <int kBytes, bool kMixed>
[[gnu::always_inline]] inline std::size_t match_words(std::uint64_t raw, const std::uint64_t* in, std::size_t count) {
  constexpr std::size_t kLanes = Lanes<kBytes>::kCount;
  constexpr std::size_t kBlock = 64;  // words between two looks at the collected differences
  typename Lanes<kBytes>::Type next;
  count_up<kBytes>(next, raw);
  std::size_t i = 0;
  for (; i + kBlock <= count; i += kBlock) {
    typename Lanes<kBytes>::Type difference = {};
    for (std::size_t j = 0; j < kBlock; j += kLanes, next += kLanes) {
      auto words = next;
      if constexpr (kMixed) mix(words);
      typename Lanes<kBytes>::Type found;
      std::memcpy(&found, in + i + j, sizeof(found));
      difference |= words ^ found;
    }
    std::uint64_t any = 0;
    for (std::size_t lane = 0; lane < kLanes; ++lane) any |= difference[lane];
    if (any != 0) break;
  }
  while (i < count && in[i] == stored<kMixed>(raw + i)) ++i;
  return i;
}

// The same four loops for one instruction set.
struct Kernels {
  void (*fill_raw)(std::uint64_t, std::uint64_t*, std::size_t);
  void (*fill_mixed)(std::uint64_t, std::uint64_t*, std::size_t);
  std::size_t (*match_raw)(std::uint64_t, const std::uint64_t*, std::size_t);
  std::size_t (*match_mixed)(std::uint64_t, const std::uint64_t*, std::size_t);
};

using Word = std::uint64_t;
constexpr Kernels kPortable = {
    [](Word raw, Word* out, std::size_t count) { fill_words<16, false>(raw, out, count); },
    [](Word raw, Word* out, std::size_t count) { fill_words<16, true>(raw, out, count); },
    [](Word raw, const Word* in, std::size_t count) { return match_words<16, false>(raw, in, count); },
    [](Word raw, const Word* in, std::size_t count) { return match_words<16, true>(raw, in, count); }};

#if defined(__x86_64__)
[[gnu::target("avx2")]] void fill_raw_avx2(Word raw, Word* out, std::size_t count) {
  fill_words<32, false>(raw, out, count);
}
[[gnu::target("avx2")]] void fill_mixed_avx2(Word raw, Word* out, std::size_t count) {
  fill_words<32, true>(raw, out, count);
}
[[gnu::target("avx2")]] std::size_t match_raw_avx2(Word raw, const Word* in, std::size_t count) {
  return match_words<32, false>(raw, in, count);
}
[[gnu::target("avx2")]] std::size_t match_mixed_avx2(Word raw, const Word* in, std::size_t count) {
  return match_words<32, true>(raw, in, count);
}
[[gnu::target("avx512f,avx512dq")]] void fill_mixed_avx512(Word raw, Word* out, std::size_t count) {
  fill_words<64, true>(raw, out, count);
}
[[gnu::target("avx512f,avx512dq")]] std::size_t match_mixed_avx512(Word raw, const Word* in, std::size_t count) {
  return match_words<64, true>(raw, in, count);
}
constexpr Kernels kAvx2 = {fill_raw_avx2, fill_mixed_avx2, match_raw_avx2, match_mixed_avx2};
// Only the multiplication gains from 512 bits: AVX-512DQ has one for 64-bit lanes.
constexpr Kernels kAvx512 = {fill_raw_avx2, fill_mixed_avx512, match_raw_avx2, match_mixed_avx512};
#endif

const Kernels& kernels() {
#if defined(__x86_64__)
  static const Kernels& chosen = __builtin_cpu_supports("avx512dq") ? kAvx512
                                 : __builtin_cpu_supports("avx2")   ? kAvx2
                                                                    : kPortable;
  return chosen;
#else
  return kPortable;
#endif
}

}  // namespace

Pattern::Pattern(Tag tag, bool incompressible)
    : base_(std::uint64_t{tag.run} << kRunShift | std::uint64_t{tag.file} << kFileShift |
            std::uint64_t{tag.writer} << kWriterShift),
      incompressible_(incompressible) {
  WC_CHECK(tag.run != 0 && tag.run <= kRunTagMax && tag.file <= kFileTagMax && tag.writer <= kWriterTagMax);
}

void Pattern::fill(std::uint64_t stream_offset_bytes, std::span<std::uint64_t> out) const {
  if (stream_offset_bytes % kWordBytes != 0) {
    fill_bytes(stream_offset_bytes, std::as_writable_bytes(out));
    return;
  }
  WC_CHECK(stream_offset_bytes + out.size_bytes() <= kStreamBytesMax);
  const auto run = incompressible_ ? kernels().fill_mixed : kernels().fill_raw;
  run(base_ + stream_offset_bytes / kWordBytes, out.data(), out.size());
}

void Pattern::fill_bytes(std::uint64_t stream_offset_bytes, std::span<std::byte> out) const {
  while (!out.empty()) {
    const auto bytes = std::bit_cast<std::array<std::byte, kWordBytes>>(word(stream_offset_bytes / kWordBytes));
    const std::size_t begin = stream_offset_bytes % kWordBytes;
    const std::size_t count = std::min(out.size(), bytes.size() - begin);
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(begin), count, out.begin());
    out = out.subspan(count);
    stream_offset_bytes += count;
  }
}

std::uint64_t Pattern::word(std::uint64_t word_index) const {
  WC_CHECK(word_index <= kIndexMask);
  return incompressible_ ? stored<true>(base_ + word_index) : stored<false>(base_ + word_index);
}

std::size_t Pattern::match(std::uint64_t stream_offset_bytes, std::span<const std::uint64_t> words) const {
  WC_CHECK(stream_offset_bytes % kWordBytes == 0);
  WC_CHECK(stream_offset_bytes + words.size_bytes() <= kStreamBytesMax);
  const auto run = incompressible_ ? kernels().match_mixed : kernels().match_raw;
  return run(base_ + stream_offset_bytes / kWordBytes, words.data(), words.size());
}

DecodedWord decode(std::uint64_t stored_word, bool incompressible) {
  const std::uint64_t raw = incompressible ? unmix(stored_word) : stored_word;
  return {.tag = {.run = static_cast<std::uint16_t>(raw >> kRunShift & kRunTagMax),
                  .file = static_cast<std::uint16_t>(raw >> kFileShift & kFileTagMax),
                  .writer = static_cast<std::uint8_t>(raw >> kWriterShift & kWriterTagMax)},
          .stream_offset_bytes = (raw & kIndexMask) * kWordBytes};
}

std::uint16_t run_tag(std::string_view run_id, std::uint64_t seed) {
  return static_cast<std::uint16_t>(derive_seed(fnv1a(run_id), seed) % kRunTagMax + 1);
}

}  // namespace writecanary::probe
