// What a run measured: counters, tallies per finding kind, the facts of kernel and filesystem, and the conclusion.
//
// The same shapes travel from the probe through the daemon and the database to the API and the command line, so that
// a figure has one name everywhere. Deciding the verdict is probe/run/judge.h.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/run/attribution.h"
#include "core/run/coverage.h"
#include "core/run/finding.h"
#include "core/run/verdict.h"

namespace writecanary {

struct RunCounters {
  std::uint64_t writes = 0;          // write requests that got a result
  std::uint64_t inline_writes = 0;   // "inline": completed within the submitting call
  std::uint64_t punted = 0;          // handed to a worker
  std::uint64_t partial = 0;         // made inline progress and did not complete inline
  std::uint64_t disarmed = 0;        // gave up before their first byte, a timer tick after they were armed
  std::uint64_t exposures = 0;       // writes that ran the path the profile watches
  std::uint64_t short_results = 0;   // fewer bytes acknowledged than requested
  std::uint64_t cqe_enomem = 0;      // completed with -ENOMEM, which some kernels give instead of -EAGAIN
  std::uint64_t bytes_written = 0;   // acknowledged
  std::uint64_t bytes_verified = 0;  // read back and compared
  std::uint64_t files = 0;
  std::uint64_t files_cold = 0;  // of these, read again after they had left the page cache
  std::uint64_t limit_hits = 0;  // memory.events max, or v1 failcnt
  std::uint64_t oom_kills = 0;
};

// Exact totals per finding kind, also of findings beyond the number that is kept in full.
struct FindingTally {
  std::array<std::uint64_t, kFindingKindCount> count{};
  std::array<std::uint64_t, kFindingKindCount> bytes{};

  void add(FindingKind kind, std::uint64_t length_bytes);
  std::uint64_t count_of(FindingKind kind) const { return count[static_cast<std::size_t>(kind)]; }
  std::uint64_t bytes_of(FindingKind kind) const { return bytes[static_cast<std::size_t>(kind)]; }
  std::uint64_t total() const;
  // Of all kinds of the class.
  std::uint64_t total(FindingClass finding_class) const;
  // What these findings make of a run, by the worst class among them; nothing without findings.
  std::optional<Verdict> verdict() const;
};

struct KernelFacts {
  std::string release;  // uname -r
  std::string version;  // uname -v
  std::string machine;  // uname -m
};

// Text that can be shown (core/host/host_facts.h).
struct FilesystemFacts {
  std::string type;         // "xfs"
  std::string source;       // "/dev/sda2"
  std::string mount_point;  // "/data"
  std::string options;      // mount and superblock options, comma separated
  std::string device;       // "8:2", which two mounts of one filesystem have in common
  std::string uuid;  // tells a filesystem from one that was made in its place; empty: it has none, or does not tell
};

struct PressureFacts {
  std::string backend;    // "cgroup2", "cgroup1" or "none"
  std::string directory;  // the run's cgroup, empty for none; bytes, and text in JSON
  std::string reason;     // for none: the exact file and error, and what to do
};

// How a run ended. The only thing a verdict is taken from.
struct RunEnd {
  Verdict verdict = Verdict::kError;
  std::string reason;  // in words, with the figures that decided
  RunCounters counters;
  FindingTally tally;
  double duration_seconds = 0;
  std::optional<double> first_finding_seconds;
  Attribution attribution;
  // Of the directory that was opened and written to; nothing when the run did not get that far.
  std::optional<FilesystemFacts> filesystem;
  Coverage coverage = {};
};

struct RunResult {
  std::string profile;
  std::uint64_t seed = 0;
  KernelFacts kernel;
  FilesystemFacts filesystem;
  PressureFacts pressure;
  RunEnd end;
  std::vector<Finding> findings;  // at most kFindingsPerRun; end.tally counts all
};

void to_json(nlohmann::json& out, const RunCounters& counters);  // "inline_writes" is called "inline"
void from_json(const nlohmann::json& in, RunCounters& counters);
void to_json(nlohmann::json& out,
             const FindingTally& tally);  // {"duplicate": {"count": 1, "bytes": 4096}}, only non-zero
void from_json(const nlohmann::json& in, FindingTally& tally);
void to_json(nlohmann::json& out, const KernelFacts& facts);
void from_json(const nlohmann::json& in, KernelFacts& facts);
// "xfs on /dev/sda2 (8:2, UUID 2f4b6c1e-...)", as far as it is known.
std::string describe(const FilesystemFacts& facts);
void to_json(nlohmann::json& out, const FilesystemFacts& facts);
void from_json(const nlohmann::json& in, FilesystemFacts& facts);
void to_json(nlohmann::json& out, const PressureFacts& facts);
void from_json(const nlohmann::json& in, PressureFacts& facts);

// Counts per kind for output: {"duplicate": 1}, only kinds that occurred.
nlohmann::json finding_counts(const FindingTally& tally);
// The flat document that `check --json` prints per run and GET /runs/{id} extends: profile, verdict, reason, seed,
// the counters, duration_seconds, first_finding_seconds (null), finding_counts, finding_bytes, findings, pressure.
nlohmann::json run_document(const RunResult& result);

}  // namespace writecanary
