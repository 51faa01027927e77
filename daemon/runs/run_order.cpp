#include "daemon/runs/run_order.h"

namespace writecanary::daemon {
namespace {

// Removing some files of a few MiB each; a filesystem that needs longer is sick.
constexpr std::uint64_t kSweepMs = 30'000;

RunSpec spec_for(const TargetConfig& target) {
  RunSpec spec;
  spec.path = target.path;
  spec.require_mount = target.require_mount;
  spec.expected_fstype = target.fstype;
  spec.memory_bytes = target.settings.memory_bytes;
  return spec;
}

}  // namespace

std::optional<std::uint64_t> budget_left(const TargetConfig& target, std::uint64_t bytes_today) {
  const auto limit = target.settings.bytes_per_day_max;
  if (limit == 0) return std::nullopt;
  return bytes_today < limit ? limit - bytes_today : 0;
}

RunSpec make_spec(const RunOrder& order, const TargetConfig& target, std::int64_t run_id, std::uint64_t seed,
                  const std::string& evidence_root) {
  const auto& settings = target.settings;
  auto spec = spec_for(target);
  spec.run_id = std::to_string(run_id);
  spec.profile = order.profile;
  spec.seed = seed;
  spec.duration_ms = order.duration_ms.value_or(static_cast<std::uint64_t>(settings.duration.count()));
  // Who asks for a duration means all of it, and the original's workload needs it.
  spec.writes_max = order.writes.value_or(order.duration_ms || order.classic ? 0 : settings.writes);
  spec.memory_bytes = order.memory_bytes.value_or(settings.memory_bytes);
  spec.min_free_bytes = settings.min_free.bytes;
  spec.min_free_percent = settings.min_free.percent;
  spec.classic = order.classic;
  const auto configured = target.options.find(order.profile);
  if (configured != target.options.end()) spec.options = configured->second;
  for (const auto& [name, value] : order.options) spec.options[name] = value;
  spec.evidence_bytes_max = settings.evidence_bytes_max;
  spec.evidence_directory = evidence_root + "/" + spec.run_id;
  return spec;
}

RunSpec make_sweep_spec(const TargetConfig& target) {
  auto spec = spec_for(target);
  spec.task = Task::kSweep;
  spec.run_id = "sweep-" + target.name;
  // A target's name may hold what a run id may not.
  for (auto& c : spec.run_id) {
    if (c == '.' || c == '_') c = '-';
  }
  spec.duration_ms = kSweepMs;
  return spec;
}

}  // namespace writecanary::daemon
