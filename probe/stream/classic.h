// The workload of the report that started all this: unarmed io_uring appends of 1-24 MiB to files of 48 MiB, without
// pressure of its own. It exposes the bug by luck only; it is here to compare with, and for hosts that are under memory
// pressure anyway.
//
// Same requests, same checks; faster, because the next write's data and the last file's verification are made while
// the kernel copies the current write, and the file is verified in the page cache without a copy.
#pragma once

#include <optional>

#include "probe/run/run_context.h"
#include "probe/trap/ring.h"

namespace writecanary::probe {

// Memory that two files in the page cache and two buffers never reach.
inline constexpr std::uint64_t kClassicMemoryBytes = 512ULL << 20;

std::optional<Unsupported> run_classic(RunContext& context);

}  // namespace writecanary::probe
