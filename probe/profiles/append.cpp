// append: one io_uring appender with the trap set. On affected kernels nearly every write is duplicated in part.
#include <fcntl.h>

#include "probe/run/profile.h"
#include "probe/stream/blocking_writer.h"
#include "probe/stream/classic.h"
#include "probe/stream/stream.h"
#include "probe/stream/trap_writer.h"

namespace writecanary::probe {
namespace {

ProfileInfo describe() {
  return {
      .name = "append",
      .title = "io_uring append",
      .description =
          "One writer appends through io_uring (offset -1, O_APPEND). Each write is armed and given less "
          "memory than it needs, so that the inline attempt stops part-way and a worker retries it.",
      .role = "detector",
      .oracle = "The file holds every acknowledged byte once, in order, and its size is the sum of the results.",
      .exposure = "The write was punted to a worker after its inline attempt had grown the file.",
      .needs_io_uring = true,
      .variants = {"offset", "async", "sync"},
      .options = trapped_options(),
      .references =
          {"https://git.kernel.org/linus/1a1a3b574b97 (iomap: advance the iter directly on buffered writes, 6.15)",
           "iomap: don't revert iov_iter on partially completed buffered writes (6.1.176, 6.6.143, 6.12.94)"},
  };
}

std::optional<Unsupported> run(RunContext& context) {
  if (context.settings.spec().classic) return run_classic(context);
  switch (context.settings.spec().variant) {
    case Variant::kOffset:
      return run_trapped(context, armed_shape(context, 0), {.offset = TrapOffset::kExplicit});
    case Variant::kAsync:
      return run_trapped(context, armed_shape(context, O_APPEND), {.force_async = true});
    case Variant::kSync:
      return run_blocking(context);
    case Variant::kAsIs:
      break;
  }
  return run_trapped(context, armed_shape(context, O_APPEND), {});
}

}  // namespace

extern const Profile kAppend;
const Profile kAppend{describe, run};

}  // namespace writecanary::probe
