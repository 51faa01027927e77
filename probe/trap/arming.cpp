#include "probe/trap/arming.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <ctime>

#include "core/base/error.h"
#include "probe/trap/tick_phase.h"

namespace writecanary::probe {
namespace {

std::int64_t read_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

std::int64_t tick_ns() {
  timespec resolution{};
  clock_getres(CLOCK_REALTIME_COARSE, &resolution);
  return resolution.tv_nsec;
}

// Rather than spinning: who slept is seldom preempted in the moment that counts.
void sleep_ns(std::int64_t duration) {
  const timespec pause{0, duration};
  nanosleep(&pause, nullptr);
}

}  // namespace

bool Arming::holds() const { return read_ns(CLOCK_REALTIME_COARSE) == tick_ns_; }

Arming arm(int fd) {
  static const std::int64_t kTickNs = tick_ns();
  thread_local TickPhase phase(kTickNs);
  // Should the clocks be stepped meanwhile, or the machine be very slow, an unarmed write is better than none.
  const std::int64_t give_up = read_ns(CLOCK_MONOTONIC) + 4 * kTickNs;
  for (;;) {
    const std::int64_t tick = read_ns(CLOCK_REALTIME_COARSE);
    const std::int64_t left = phase.until_next(tick, read_ns(CLOCK_REALTIME));
    const bool last_try = read_ns(CLOCK_MONOTONIC) >= give_up;
    if (left < kTickNs / 2 && !last_try) {
      sleep_ns(left);
      continue;
    }
    const timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    if (futimens(fd, now) != 0) throw_errno("futimens");
    const Arming arming(tick);
    if (last_try || arming.holds()) return arming;
  }
}

Pacer::Pacer(const std::string& path) : path_(path), fd_(open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600)) {}

Pacer::~Pacer() { unlink(path_.c_str()); }

void Pacer::settle() {
  const std::uint64_t word = 1;
  // Without memory there is nothing to settle: another process of the run has the limit low.
  if (pwrite(fd_.get(), &word, sizeof word, 0) < 0 && errno != ENOMEM) throw_errno("write " + path_);
}

}  // namespace writecanary::probe
