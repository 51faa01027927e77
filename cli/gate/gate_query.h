// What a Prometheus knows about the hosts that ran a kernel within a window.
//
// It asks for writecanary_kernel_*_total, which each daemon keeps for its running release and continues from its
// database: a new kernel's series begin at 0, so what stood there before the window is subtracted and nothing else has
// to be guessed. In particular it does not use increase(), which extrapolates and does not see the value that a series
// begins with: the first finding of a host that is scraped for the first time.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cli/gate/gate_decision.h"
#include "cli/gate/prometheus.h"

namespace writecanary::cli {

struct GateQuestion {
  std::string kernel;                             // regular expression for the whole release
  std::string compare;                            // the same for what it is compared with; empty: nothing
  std::chrono::milliseconds window{604'800'000};  // a week
  std::string matchers;                           // further label matchers, as in PromQL: job="canary",cluster="a"
};

// Throws like Prometheus::query.
GateCase gather(const Prometheus& prometheus, const GateQuestion& question);

// What came about within the window, per series: the last value within it less the one before it; the last value
// itself for a series that began within the window, or whose daemon lost its database. `selector` is in braces.
std::string growth(const std::string& metric, const std::string& selector, std::chrono::milliseconds window);

}  // namespace writecanary::cli
