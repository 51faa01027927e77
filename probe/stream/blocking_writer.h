// Plain pwritev2() appends with less memory than a write needs: what append-sync and the blocking variant of append
// have in common.
#pragma once

#include <optional>

#include "probe/stream/stream.h"
#include "probe/trap/ring.h"

namespace writecanary::probe {

// Runs the stream; options are those of armed_options().
std::optional<Unsupported> run_blocking(RunContext& context);

}  // namespace writecanary::probe
