// A run that was asked for, by the schedule or by a person, and the spec that the probe gets for it. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/run/run_spec.h"
#include "daemon/config/config.h"
#include "storage/tables/records.h"

namespace writecanary::daemon {

struct RunOrder {
  std::string target;
  std::string profile;
  std::string trigger;       // "schedule", "startup" or "api"
  std::string requested_by;  // for "api"
  storage::RequestKey key;   // for "api"
  // What the target's configuration says is used for everything absent here.
  std::optional<std::uint64_t> duration_ms, writes, seed, memory_bytes;
  std::map<std::string, std::int64_t> options;  // over those of the target
  bool classic = false;
};

// Bytes that the target may still be given today; nothing for no limit.
std::optional<std::uint64_t> budget_left(const TargetConfig& target, std::uint64_t bytes_today);

// The complete spec. Budget and evidence directory are the caller's to know.
RunSpec make_spec(const RunOrder& order, const TargetConfig& target, std::int64_t run_id, std::uint64_t seed,
                  const std::string& evidence_root);
// Only removes what dead runs left on the target.
RunSpec make_sweep_spec(const TargetConfig& target);

}  // namespace writecanary::daemon
