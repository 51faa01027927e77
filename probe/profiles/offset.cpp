// offset: the control without O_APPEND. A retry starts where the write started, so that a lost position does no harm.
#include "probe/run/profile.h"
#include "probe/stream/stream.h"
#include "probe/stream/trap_writer.h"

namespace writecanary::probe {
namespace {

ProfileInfo describe() {
  return {
      .name = "offset",
      .title = "io_uring write at explicit offsets",
      .description =
          "As append, but without O_APPEND and with explicit offsets: what a program does that keeps the "
          "end of its file itself.",
      .role = "control",
      .oracle = "The file holds every acknowledged byte at the offset it was written to.",
      .exposure = "The write was punted to a worker after its inline attempt had grown the file.",
      .needs_io_uring = true,
      .options = trapped_options(),
      .references =
          {"Bug report on linux-xfs, June 2026: io_uring O_APPEND writes duplicated; explicit offsets are not"},
  };
}

std::optional<Unsupported> run(RunContext& context) {
  return run_trapped(context, armed_shape(context, 0), {.offset = TrapOffset::kExplicit, .force_async = false});
}

}  // namespace

extern const Profile kOffset;
const Profile kOffset{describe, run};

}  // namespace writecanary::probe
