#include "probe/profiles/mixed_model/shrink.h"

#include <algorithm>
#include <numeric>

namespace writecanary::probe {
namespace {

class Shrinker {
 public:
  Shrinker(std::size_t count, std::size_t replays_max, const Fails& fails) : replays_max_(replays_max), fails_(fails) {
    result_.indices.resize(count);
    std::iota(result_.indices.begin(), result_.indices.end(), std::size_t{0});
  }

  Shrunk run() {
    result_.reproduced = try_out(result_.indices);
    if (!result_.reproduced) return std::move(result_);
    find_prefix();
    drop_parts();
    return std::move(result_);
  }

 private:
  bool try_out(std::span<const std::size_t> indices) {
    if (result_.replays == replays_max_) return false;
    ++result_.replays;
    return fails_(indices);
  }

  // Bisection: a prefix of `passing` passes (or was not seen to fail), the list as it is fails.
  void find_prefix() {
    std::size_t passing = 0;
    while (passing + 1 < result_.indices.size() && result_.replays < replays_max_) {
      const std::size_t middle = (passing + result_.indices.size()) / 2;
      if (try_out(std::span(result_.indices).first(middle))) {
        result_.indices.resize(middle);
      } else {
        passing = middle;
      }
    }
  }

  // Leaves out one part after the other, in halves first and ever smaller parts; ends when no single one can go.
  void drop_parts() {
    std::size_t part = (result_.indices.size() + 1) / 2;
    while (part > 0 && result_.indices.size() > 1 && result_.replays < replays_max_) {
      bool dropped = false;
      for (std::size_t begin = 0; begin < result_.indices.size() && result_.indices.size() > 1;) {
        const std::size_t end = std::min(begin + part, result_.indices.size());
        std::vector<std::size_t> rest(result_.indices.begin(),
                                      result_.indices.begin() + static_cast<std::ptrdiff_t>(begin));
        rest.insert(rest.end(), result_.indices.begin() + static_cast<std::ptrdiff_t>(end), result_.indices.end());
        if (!rest.empty() && try_out(rest)) {
          result_.indices = std::move(rest);
          dropped = true;
        } else {
          begin = end;
        }
      }
      if (part == 1 && !dropped) return;
      part = std::max<std::size_t>(part / 2, 1);
    }
  }

  std::size_t replays_max_;
  const Fails& fails_;
  Shrunk result_;
};

}  // namespace

Shrunk shrink(std::size_t count, std::size_t replays_max, const Fails& fails) {
  return Shrinker(count, replays_max, fails).run();
}

}  // namespace writecanary::probe
