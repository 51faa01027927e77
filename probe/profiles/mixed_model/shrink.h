// Makes a failing list of operations short: first the shortest prefix that fails, then without what is not needed.
//
// Delta debugging (Zeller, Hildebrandt: Simplifying and isolating failure-inducing input, 2002) over indices, so that
// it knows nothing of what an operation is. A list that fails is never given up for one that does not; with a failure
// that comes and goes the result is merely longer. Pure but for what `fails` does.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace writecanary::probe {

// Replays the operations with these indices, in this order.
using Fails = std::function<bool(std::span<const std::size_t> indices)>;

struct Shrunk {
  std::vector<std::size_t> indices;
  std::size_t replays = 0;
  bool reproduced = false;  // the whole list failed again
};

// The operations are 0 to count - 1; at most `replays_max` replays are made.
Shrunk shrink(std::size_t count, std::size_t replays_max, const Fails& fails);

}  // namespace writecanary::probe
