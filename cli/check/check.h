// `writecanary check`: runs the probe here and now, without a daemon, and says what came of it.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/terminal/environment.h"
#include "cli/terminal/output_format.h"
#include "core/run/profile_info.h"
#include "core/run/run_spec.h"

namespace writecanary::cli {

// As typed, checked for form by the command line already.
struct CheckOptions {
  std::string path;
  std::string profile;  // empty: the default ones; "all": the whole catalogue
  std::optional<std::uint64_t> duration_ms, writes, seed, bytes;
  std::uint64_t memory_bytes = 64ULL << 20;
  double min_free_percent = 5;
  std::uint64_t min_free_bytes = 0;
  std::map<std::string, std::int64_t> profile_options;
  std::string evidence_directory;
  std::uint64_t evidence_bytes_max = 64ULL << 20;
  bool classic = false;
  FailOn fail_on = FailOn::kViolation;
  OutputFormat format = OutputFormat::kText;
};

// The program that runs: WRITECANARY_PROBE, else writecanary-probe beside this one.
std::string probe_program();

// One spec per run to be made, complete but for the cgroup. Pure but for realpath and access on the path. Throws
// UsageError for a path, profile or option that cannot be.
std::vector<RunSpec> plan_check(const CheckOptions& options, const Catalogue& catalogue, std::uint64_t random_seed);

// Makes the runs one after the other, each in a cgroup of its own, until Ctrl-C; at least one. Throws SystemError,
// ProtocolError.
std::vector<RunResult> make_runs(const Environment& environment, const std::vector<RunSpec>& specs);
// What `check --json` prints, and what it prints without. There is at least one run.
nlohmann::json check_document(const std::string& path, const std::vector<RunResult>& runs);
void print_check(const Environment& environment, const std::string& path, const std::vector<RunResult>& runs);

// Returns the exit code. Throws CommandError, SystemError, ProtocolError.
int check(const Environment& environment, const CheckOptions& options);

}  // namespace writecanary::cli
