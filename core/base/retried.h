// A system call that a signal interrupted is made again.
//
// The kernel restarts most calls by itself; FUSE and NFS hand EINTR on from their servers all the same. Not for calls
// that a stop is meant to end (waiting, sleeping), and not for close(2).
#pragma once

#include <cerrno>

namespace writecanary {

// Returns what `call` returns, which is negative with errno set when it failed for any other reason.
template <typename Call>
auto retried(const Call& call) {
  for (;;) {
    const auto returned = call();
    if (returned >= 0 || errno != EINTR) return returned;
  }
}

}  // namespace writecanary
