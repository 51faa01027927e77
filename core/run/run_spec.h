// What a probe is told to do: one run on one directory. The same spec replays the same plan.
//
// The spec is complete: the probe reads no configuration and no environment. Where the values come from (file,
// command line, HTTP) is not known here. Paths are bytes, and text in the JSON (core/base/system_text.h).
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/run/run_result.h"

namespace writecanary {

enum class Task : std::uint8_t {
  kRun,    // run the profile
  kSweep,  // only remove what dead runs left in the canary's directory
};

struct RunSpec {
  Task task = Task::kRun;
  std::string run_id;           // names the run's directory and file; letters, digits and '-' only
  std::string profile;          // a name from the probe's catalogue
  std::string path;             // directory to test, usually a mount point; the probe works in <path>/.writecanary
  bool require_mount = false;   // refuse when path is not itself a mount point
  std::string expected_fstype;  // refuse when the filesystem is another; empty: any
  std::uint64_t seed = 0;
  std::uint64_t duration_ms = 10'000;  // wall clock for the workload; 0: no limit but the others
  std::uint64_t writes_max = 0;        // 0: no limit but the others
  std::uint64_t bytes_max = 0;         // bytes written; 0: no limit but the others
  std::uint64_t min_free_bytes = 0;    // refuse or stop when less would remain free
  double min_free_percent = 0;
  std::uint64_t memory_bytes = 64ULL << 20;     // the run's cgroup never holds more than this
  bool classic = false;                         // the original reproducer's workload: unarmed, 1-24 MiB, no pressure
  Variant variant = Variant::kAsIs;             // of those that the profile has
  bool attribute = true;                        // after a finding: repeat the run and its variants, for seconds at most
  bool incompressible = true;                   // pattern that a compressing filesystem cannot shrink
  std::map<std::string, std::int64_t> options;  // the profile's own, see ProfileInfo::options
  PressureFacts pressure;                       // the cgroup that the probe was started in
  std::string evidence_directory;               // where to keep damaged files; empty: keep none
  std::uint64_t evidence_bytes_max = 64ULL << 20;
};

void to_json(nlohmann::json& out, const RunSpec& spec);
// Throws ProtocolError (core/run/protocol.h) that names the field.
void from_json(const nlohmann::json& in, RunSpec& spec);

}  // namespace writecanary
