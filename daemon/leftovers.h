// What a daemon that was killed has left behind, closed before the first new run.
#pragma once

#include "core/cgroup.h"
#include "core/clock.h"
#include "daemon/config.h"
#include "daemon/run_desk.h"
#include "storage/reader.h"
#include "storage/store.h"

namespace writecanary::daemon {

// Kills and removes the cgroups of its runs, marks these runs as interrupted, hands the targets to the desk, and has
// it clear up or hold back those that need it. Throws StorageError.
void close_leftovers(const Config& config, const CgroupRoot& cgroups, storage::Store& store,
                     const storage::Reader& reader, RunDesk& desk, SystemTime now);

}  // namespace writecanary::daemon
