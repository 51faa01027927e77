// When the next timer tick is due.
//
// The kernel moves CLOCK_REALTIME_COARSE at each tick, by whole ticks; what time has gone by beyond them is kept for
// the next (kernel/time/timekeeping.c, timekeeping_advance()). So at the very moment of a tick the coarse clock may
// already be behind by anything less than a tick. How much, the phase, is the same for seconds and minutes, and wanders
// over hours. A reading of both clocks bounds it from both sides: they differ by no less than the phase, and by less
// than it and a tick.
//
// It reads no clock itself.
#pragma once

#include <algorithm>
#include <cstdint>

namespace writecanary::probe {

class TickPhase {
 public:
  explicit TickPhase(std::int64_t tick_ns) : tick_ns_(tick_ns) {}

  // Learns from one reading of the coarse and the exact clock, and tells how long it is to the next tick. Too little,
  // or nothing, while the phase is not known yet: who waits for that long and asks again knows it after one tick.
  std::int64_t until_next(std::int64_t coarse_ns, std::int64_t exact_ns) {
    const std::int64_t behind = exact_ns - coarse_ns;
    phase_ns_ = std::clamp<std::int64_t>(std::clamp(phase_ns_, behind - tick_ns_, behind), 0, tick_ns_);
    return std::max<std::int64_t>(phase_ns_ + tick_ns_ - behind, 0);
  }

 private:
  std::int64_t tick_ns_;
  std::int64_t phase_ns_ = 0;
};

}  // namespace writecanary::probe
