#include "probe/pattern/plan.h"

#include "core/base/error.h"

namespace writecanary::probe {
namespace {

constexpr std::uint64_t kUnit = 8;
constexpr std::uint64_t kAvoid = 4096;
constexpr std::uint64_t kGolden = 0x9e37'79b9'7f4a'7c15;

// The output function of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
std::uint64_t scramble(std::uint64_t value) {
  value = (value ^ value >> 30) * 0xbf58'476d'1ce4'e5b9;
  value = (value ^ value >> 27) * 0x94d0'49bb'1331'11eb;
  return value ^ value >> 31;
}

}  // namespace

std::uint64_t derive_seed(std::uint64_t seed, std::uint64_t stream) {
  return scramble(scramble(seed + kGolden) + kGolden * (stream + 1));
}

Plan::Plan(std::uint64_t seed, std::uint64_t min_bytes, std::uint64_t max_bytes)
    : state_(seed), min_words_((min_bytes + kUnit - 1) / kUnit), choices_(max_bytes / kUnit - min_words_ + 1) {
  WC_CHECK(min_bytes > 0 && max_bytes / kUnit >= min_words_);
  WC_CHECK(choices_ > 1 || min_words_ * kUnit % kAvoid != 0);
}

std::uint64_t Plan::next_length() {
  std::uint64_t length;
  do {
    state_ += kGolden;
    // The remainder's bias is below 2^-40 for every length that fits in memory.
    length = (min_words_ + scramble(state_) % choices_) * kUnit;
  } while (length % kAvoid == 0);
  return length;
}

}  // namespace writecanary::probe
