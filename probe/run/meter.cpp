#include "probe/run/meter.h"

#include <cerrno>

namespace writecanary::probe {

std::uint64_t Meter::elapsed_us() const {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(elapsed()).count());
}

void Meter::count(const WriteRef& write, bool exposed) {
  ++counters_.writes;
  if (write.route == Route::kInline) ++counters_.inline_writes;
  if (write.route == Route::kPunted) ++counters_.punted;
  if (write.inline_bytes != 0) ++counters_.partial;
  if (write.disarmed) ++counters_.disarmed;
  if (exposed) ++counters_.exposures;
  if (write.result == -ENOMEM) ++counters_.cqe_enomem;
  if (write.result < 0) return;
  const auto acknowledged = static_cast<std::uint64_t>(write.result);
  if (acknowledged < write.length_bytes) ++counters_.short_results;
  counters_.bytes_written += acknowledged;
}

void Meter::count_bytes(const WriteRef& write) {
  if (write.result > 0) counters_.bytes_written += static_cast<std::uint64_t>(write.result);
}

void Meter::count_findings(const FindingTally& tally) {
  if (tally.total() == 0) return;
  saw_finding();
  for (std::size_t kind = 0; kind < kFindingKindCount; ++kind) {
    tally_.count[kind] += tally.count[kind];
    tally_.bytes[kind] += tally.bytes[kind];
  }
}

}  // namespace writecanary::probe
