// How long the writes of a run are: a sequence that the seed alone decides.
//
// The same seed gives the same lengths on every platform and in every later version, so that a run can be replayed.
// Lengths are multiples of 8 and never of 4096: page-aligned writes would hide the partial page in which things go
// wrong. When a write is issued and where is the profile's matter.
#pragma once

#include <cstdint>

namespace writecanary::probe {

// A seed for one purpose out of the run's seed: different streams are independent of each other.
std::uint64_t derive_seed(std::uint64_t seed, std::uint64_t stream);

// Not thread-safe: each writer has its own, with a derived seed.
class Plan {
 public:
  // Lengths lie in [min_bytes, max_bytes], which must hold a multiple of 8 that is not one of 4096. Where
  // min_bytes equals max_bytes, all lengths are that one.
  Plan(std::uint64_t seed, std::uint64_t min_bytes, std::uint64_t max_bytes);

  std::uint64_t next_length();

 private:
  std::uint64_t state_;
  std::uint64_t min_words_;
  std::uint64_t choices_;  // number of lengths to choose from, before those that are multiples of 4096 are left out
};

}  // namespace writecanary::probe
