// How large and how small a rate of findings can still be, given what was seen: zero findings in a few exposures prove
// little.
#pragma once

#include <cstdint>
#include <optional>

namespace writecanary {

// Upper 95 % confidence bound on findings per exposure, taking findings as Poisson (Garwood's exact limit). Without
// findings that is -ln(0.05)/n, the rule of three. Nothing when there were no exposures. May exceed 1, because one
// write can give several findings.
std::optional<double> rate_upper_bound_95(std::uint64_t findings, std::uint64_t exposures);

// The lower one, of the same kind: 0 without findings.
std::optional<double> rate_lower_bound_95(std::uint64_t findings, std::uint64_t exposures);

}  // namespace writecanary
