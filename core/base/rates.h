// How far rates of findings can be told from each other by what was seen: intervals with 95 % confidence.
//
// Findings are taken as Poisson. The bound from above alone, of which the gate and /kernels speak, is
// core/base/upper_bound.h.
#pragma once

#include <cstdint>
#include <optional>

namespace writecanary {

struct RateInterval {
  double low = 0;
  double high = 0;
};

// Of findings per exposure, two-sided (Garwood). Nothing without exposures.
std::optional<RateInterval> rate_interval_95(std::uint64_t findings, std::uint64_t exposures);

struct RateRatio {
  std::optional<double> ratio;  // nothing: there were no findings before, so it is without bounds or not known at all
  double low = 0;
  std::optional<double> high;  // nothing: without bounds
};

// Of the rate now to the rate before, with the interval of Clopper and Pearson for which of the two a finding is of.
// Nothing when there were no exposures on either side, or no findings on both.
std::optional<RateRatio> rate_ratio_95(std::uint64_t findings, std::uint64_t exposures, std::uint64_t findings_before,
                                       std::uint64_t exposures_before);

}  // namespace writecanary
