#include "daemon/runs/leftovers.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "core/base/limits.h"
#include "daemon/config/identity.h"
#include "daemon/runs/run_order.h"

namespace writecanary::daemon {
namespace {

// The target whose run or sweep the cgroup was made for; empty when nobody knows.
std::string target_of_cgroup(const std::string& name, const std::string& prefix, const Config& config,
                             const storage::Reader& reader) {
  for (const auto& target : config.targets) {
    if (name == run_cgroup_name(prefix, make_sweep_spec(target).run_id)) return target.name;
  }
  const auto start = run_cgroup_name(prefix, "");
  std::int64_t id = 0;
  if (name.starts_with(start)) std::from_chars(name.data() + start.size(), name.data() + name.size(), id);
  const auto run = reader.run(id);
  return run ? run->target : "";
}

// The last run that began there may have left files, and the earlier daemon may have ended before it cleared up.
bool ended_badly(const storage::Reader& reader, const std::string& target) {
  storage::RunFilter last;
  last.target = target;
  last.limit = static_cast<int>(kQueuedRunsPerTarget) + 1;
  const auto runs = reader.runs(last);
  const auto began = std::ranges::find_if(runs, [](const auto& run) { return run.started_at_ms.has_value(); });
  if (began == runs.end()) return false;
  const auto verdict = began->verdict;
  return verdict == Verdict::kError || verdict == Verdict::kStuck || verdict == Verdict::kInterrupted;
}

}  // namespace

void close_leftovers(const Config& config, const CgroupRoot& cgroups, storage::Store& store,
                     const storage::Reader& reader, RunDesk& desk, SystemTime now) {
  const auto prefix = cgroup_prefix(config.storage_path);
  const auto immovable = remove_leftover_cgroups(cgroups, prefix);
  const auto unfinished = store.interrupt_unfinished(to_unix_ms(now));
  desk.configure(config);
  for (const auto& run : unfinished) {
    spdlog::warn("run {}: {} on target {} was cut off when the daemon ended; it is interrupted", run.id,
                 run.result.profile, run.target);
  }
  for (const auto& target : config.targets) {
    if (ended_badly(reader, target.name)) desk.sweep_before_next(target.name);
  }
  for (const auto& name : immovable) {
    const auto target = target_of_cgroup(name, prefix, config, reader);
    spdlog::error(
        "{}/{}: a process of an earlier run on target \"{}\" hangs in the kernel; nothing runs there before "
        "it is gone",
        cgroups.directory, name, target);
    desk.hold_for_leftover(target, cgroups.directory + "/" + name);
  }
}

}  // namespace writecanary::daemon
