// Every detector against damage made for it and against the same data without: so that a run without findings can be
// told from a detector that is blind.
#pragma once

#include "core/self_test.h"

namespace writecanary::probe {

// In memory files; touches no tested filesystem. Takes a few tens of milliseconds. Throws SystemError when no memory
// file can be made.
SelfTest self_test();

}  // namespace writecanary::probe
