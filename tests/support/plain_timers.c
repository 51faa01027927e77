// Preloaded beside libfaketime, which takes the absolute time of any timerfd for one of the wall clock that it shifts:
// the daemon's timers, which are on CLOCK_MONOTONIC, would be a year late. They go to the kernel as they are.
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

int timerfd_settime(int fd, int flags, const struct itimerspec* wanted, struct itimerspec* before) {
  return (int)syscall(SYS_timerfd_settime, fd, flags, wanted, before);
}
