// The self-test at the daemon's start: once per build, because nothing else changes what its detectors see.
#pragma once

#include <string>

#include "core/base/clock.h"
#include "core/process/self_test.h"
#include "storage/store/store.h"

namespace writecanary::daemon {

// What the database remembers of this very build, if that was good; else the probe is asked again, which takes some
// tens of milliseconds, and the answer remembered. A self-test that fails is logged as an error and changes nothing
// else: runs are made and judged as ever, and whoever reads a verdict is told beside it. Throws StorageError.
SelfTest check_self(storage::Store& store, const std::string& probe_program, SystemTime now);

}  // namespace writecanary::daemon
