// append-sync: the control with an ordinary system call. A blocking append that meets the memory limit reclaims in the
// middle of the write and goes on; there is nothing to retry.
#include "probe/run/profile.h"
#include "probe/stream/blocking_writer.h"
#include "probe/stream/stream.h"

namespace writecanary::probe {
namespace {

ProfileInfo describe() {
  return {
      .name = "append-sync",
      .title = "blocking append",
      .description = "One writer appends with pwritev2() without RWF_NOWAIT, with less memory than the write needs.",
      .role = "control",
      .oracle = "The file holds every acknowledged byte once, in order, and its size is the sum of the results.",
      .exposure = "The write met the memory limit and had to reclaim, on a filesystem that also writes inline.",
      .needs_io_uring = false,
      .options = armed_options(),
      .references = {"pwritev2(2)"},
  };
}

}  // namespace

extern const Profile kAppendSync;
const Profile kAppendSync{describe, run_blocking};

}  // namespace writecanary::probe
