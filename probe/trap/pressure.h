// Memory pressure that only the canary feels: the limit of the run's own cgroup, moved around each write.
//
// A non-blocking charge of a page-cache page fails once the cgroup is at its limit. tighten() puts the limit a little
// above what the cgroup uses right now, so that an inline write gets that far and no further; relieve() puts it back
// before anything has to reclaim. No ballast is needed: the limit comes to the usage, not the usage to the limit
// (docs/adr/0002-move-the-limit-not-the-ballast.md).
//
// The kernel charges in batches of 64 pages and keeps the rest of a batch per CPU, so a writer can get up to 63 pages
// more than the headroom (mm/memcontrol.c, MEMCG_CHARGE_BATCH). headroom_plan() sizes writes so that the limit is
// still met in their middle.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/fd.h"
#include "core/run/run_result.h"

namespace writecanary::probe {

// Sizes in bytes that make sure of an exposure, derived from the page size.
struct HeadroomPlan {
  std::uint64_t headroom = 0;   // what tighten() leaves
  std::uint64_t write_min = 0;  // smallest write that cannot fit into headroom plus a batch
  std::uint64_t write_max = 0;
};

// Pure. Throws nothing. Both are powers of two, and the unit is not smaller than the page: it is the least that the
// page cache takes at once, a block where blocks are larger than pages. The headroom must hold a few of them, or no
// write makes any progress before it fails.
HeadroomPlan headroom_plan(std::uint64_t page_bytes, std::uint64_t unit_bytes);

class Pressure {
 public:
  // With backend "none" every call does nothing and available() is false. Raises the limit to `memory_bytes`, or takes
  // it away altogether when 0. A control file that cannot be used also leaves it unavailable, with the file and the
  // error in facts().reason. Never throws for that.
  Pressure(const PressureFacts& facts, std::uint64_t memory_bytes);

  // Takes back that the run's cgroup has no swap, which a trap needs, whose limit must be met: for profiles that set
  // none.
  void allow_swap() const;

  bool available() const { return static_cast<bool>(limit_); }
  const PressureFacts& facts() const { return facts_; }

  // Limit = usage now + headroom. Returns false when the kernel would not have it so; the limit is then unchanged.
  bool tighten(std::uint64_t headroom_bytes);
  // Back to the run's full memory. The retry of a write that failed at the low limit must not begin before.
  void relieve();
  // Has the kernel take back so much of what the cgroup has in memory, the least recently used first, as it does when
  // memory is short: unlike fadvise(DONTNEED) that leaves a mark of each page behind (a shadow entry, mm/workingset.c).
  // Returns false when it cannot be had. The limits are as before afterwards.
  bool reclaim(std::uint64_t bytes);

  // Events so far: failures to charge at the limit, and processes of the run that the kernel killed for memory.
  void read_events(RunCounters& counters) const;

 private:
  bool set_limit(std::uint64_t bytes) const;

  PressureFacts facts_;
  std::string full_;  // the text that restores the full limit
  Fd limit_, usage_;
  bool v2_ = false;
};

}  // namespace writecanary::probe
