// What a daemon that was killed has left behind, closed before the first new run.
#pragma once

#include "core/base/clock.h"
#include "core/host/cgroup.h"
#include "daemon/config/config.h"
#include "daemon/runs/run_desk.h"
#include "storage/reader/reader.h"
#include "storage/store/store.h"

namespace writecanary::daemon {

// Kills and removes the cgroups of its runs, marks these runs as interrupted, hands the targets to the desk, and has
// it clear up or hold back those that need it. Throws StorageError.
void close_leftovers(const Config& config, const CgroupRoot& cgroups, storage::Store& store,
                     const storage::Reader& reader, RunDesk& desk, SystemTime now);

}  // namespace writecanary::daemon
