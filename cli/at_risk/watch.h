// Counting for a while which write requests of io_uring really go to a worker.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/at_risk/punted.h"

namespace writecanary::cli {

struct Watched {
  std::string why_not = {};  // nothing could be counted; else empty
  std::chrono::milliseconds duration{0};
  std::uint64_t lost_events = 0;
  std::vector<Punted> punted = {};
};

// Waits for that long, or until SIGINT, SIGTERM or SIGHUP, with tracepoints enabled in a buffer of our own, which is
// gone afterwards. What the kernel does not let us count is `why_not`.
Watched watch_punted(std::chrono::milliseconds duration);

}  // namespace writecanary::cli
