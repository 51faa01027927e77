// A StreamWriter that makes each write with a Trap: what append, offset and append-async have in common.
#pragma once

#include <optional>
#include <vector>

#include "probe/stream/stream.h"
#include "probe/trap/trap.h"

namespace writecanary::probe {

enum class TrapOffset { kEndOfFile, kExplicit };

struct TrapStyle {
  TrapOffset offset = TrapOffset::kEndOfFile;
  bool force_async = false;
};

// Those of armed_options() and a switch for each part of the trap.
std::vector<ProfileOption> trapped_options();

// Runs the stream with the trap set for every write; as these options say.
std::optional<Unsupported> run_trapped(RunContext& context, const StreamShape& shape, const TrapStyle& style);

// Whether this filesystem makes inline buffered writes that can stop part-way: a few trapped appends to a scratch file.
// Profiles whose own exposure cannot tell (controls, several writers) ask this first; without it nothing they do means
// anything. The reason for "no" is left in context.exposure_hint.
bool writes_inline(RunContext& context);

// Why a trapped run saw few exposures, from its counters: for the verdict's reason.
std::string explain_missing_exposures(const RunCounters& counters, const std::string& filesystem);

}  // namespace writecanary::probe
