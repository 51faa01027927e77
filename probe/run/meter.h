// What has happened in a run so far: counters, findings by kind, and time.
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/clock.h"
#include "core/run/run_result.h"
#include "probe/trap/pressure.h"

namespace writecanary::probe {

class Meter {
 public:
  // Time begins now. The clock must outlive the meter.
  explicit Meter(const Clock& clock) : clock_(clock), start_(clock.steady()) {}

  const RunCounters& counters() const { return counters_; }
  const FindingTally& tally() const { return tally_; }
  const Coverage& coverage() const { return coverage_; }
  std::optional<double> first_finding_seconds() const { return first_finding_seconds_; }
  SteadyTime::duration elapsed() const { return clock_.steady() - start_; }
  double elapsed_seconds() const { return std::chrono::duration<double>(elapsed()).count(); }
  std::uint64_t elapsed_us() const;  // for WriteRef::at_us

  // Counts one write with what came of it. `exposed`: it ran the path that the profile watches.
  void count(const WriteRef& write, bool exposed);
  // Counts only the bytes of a write that is none of the run's own, such as one that is made again.
  void count_bytes(const WriteRef& write);
  // Counts what ran that path and is no write: a read that raced, a copy, a collapse.
  void expose(std::uint64_t count) { counters_.exposures += count; }
  // Counts an operation on a part of a file that is in these states, for what the run's input covered.
  void cover(CoveredOperation operation, CoveredWay way, CoveredStates states) {
    coverage_.add(operation, way, states);
  }
  // Returns the number of the new file.
  std::uint64_t count_file() { return ++counters_.files; }
  void count_cold_file() { ++counters_.files_cold; }
  void count_verified(std::uint64_t bytes) { counters_.bytes_verified += bytes; }
  void count_findings(const FindingTally& tally);
  // Something wrong was seen just now; it is counted when it is reported, which may be much later.
  void saw_finding() {
    if (!first_finding_seconds_) first_finding_seconds_ = elapsed_seconds();
  }
  void count_events(const Pressure& pressure) { pressure.read_events(counters_); }

 private:
  const Clock& clock_;
  SteadyTime start_;
  RunCounters counters_;
  FindingTally tally_;
  Coverage coverage_;
  std::optional<double> first_finding_seconds_;
};

}  // namespace writecanary::probe
