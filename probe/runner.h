// One run from spec to verdict: facts, workspace, profile, judgement. The one place where what fails is caught.
#pragma once

#include <atomic>

#include "core/base/clock.h"
#include "core/run/run_spec.h"
#include "probe/run/emitter.h"

namespace writecanary::probe {

// Sends hello, what happens, and run_end; always ends with run_end unless the reader went away. Throws nothing.
void run_spec(const RunSpec& spec, Emitter& emitter, const Clock& clock, const std::atomic<bool>& stop);

}  // namespace writecanary::probe
