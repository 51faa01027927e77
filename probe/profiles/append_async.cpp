// append-async: the control with IOSQE_ASYNC. There is no inline attempt, so nothing can be left half done by it; this
// is also the workaround that an application can use today.
#include <fcntl.h>

#include "probe/run/profile.h"
#include "probe/stream/stream.h"
#include "probe/stream/trap_writer.h"

namespace writecanary::probe {
namespace {

ProfileInfo describe() {
  return {
      .name = "append-async",
      .title = "io_uring append, never inline",
      .description =
          "As append, with the same trap, but every request carries IOSQE_ASYNC and goes to a worker at once.",
      .role = "control",
      .oracle = "The file holds every acknowledged byte once, in order, and its size is the sum of the results.",
      .exposure = "The write was made by a worker from its first byte, with the trap of append set.",
      .needs_io_uring = true,
      .options = trapped_options(),
      .references = {"io_uring_sqe_set_flags(3), IOSQE_ASYNC"},
  };
}

std::optional<Unsupported> run(RunContext& context) {
  return run_trapped(context, armed_shape(context, O_APPEND), {.offset = TrapOffset::kEndOfFile, .force_async = true});
}

}  // namespace

extern const Profile kAppendAsync;
const Profile kAppendAsync{describe, run};

}  // namespace writecanary::probe
