#include "cli/at_risk/watch.h"

#include <poll.h>

#include <algorithm>

#include "cli/at_risk/trace_instance.h"
#include "cli/terminal/interrupts.h"
#include "core/base/error.h"

namespace writecanary::cli {
namespace {

// The buffer has no descriptor that says "there is something" before it is half full.
constexpr std::chrono::milliseconds kLookEvery{50};

}  // namespace

Watched watch_punted(std::chrono::milliseconds duration) {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  using std::chrono::steady_clock;
  Watched watched;
  Interrupts interrupts;  // outlives the instance: a signal ends the wait, and nothing of ours stays in the kernel
  PuntedCounter counter({.process = [](int tid) { return process_of_thread(tid); },
                         .file = [](int tid, int fd) { return append_file(tid, fd); }});
  try {
    TraceInstance trace;
    const auto begin = steady_clock::now();
    const auto end = begin + duration;
    while (!interrupts.any() && steady_clock::now() < end) {
      const std::string text = trace.read();
      counter.add(text);
      const auto rest = std::clamp(duration_cast<milliseconds>(end - steady_clock::now()), milliseconds(0), kLookEvery);
      pollfd signals{interrupts.fd(), POLLIN, 0};
      if (poll(&signals, 1, text.empty() ? static_cast<int>(rest.count()) : 0) > 0) interrupts.take();
    }
    counter.add(trace.read());
    watched.duration = duration_cast<milliseconds>(steady_clock::now() - begin);
  } catch (const SystemError& error) {
    watched.why_not = error.what();
  }
  watched.lost_events = counter.lost();
  watched.punted = counter.counts();
  return watched;
}

}  // namespace writecanary::cli
