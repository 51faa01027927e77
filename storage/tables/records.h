// The rows of the database as the rest of the program sees them. Plain data; times are unix milliseconds, ids are row
// numbers of this database (never reused).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/run/run_result.h"
#include "core/run/verdict.h"

namespace writecanary::storage {

struct TargetRow {
  std::string name;
  std::string path;
  bool paused = false;
  std::string paused_note;  // who and why
};

// A key that makes a request safe to repeat: whose it is, its name, and what was asked with it.
struct RequestKey {
  std::string caller;
  std::string key;  // empty: none
  std::string request;
};

// What became of the first request with a key.
struct KeyedRun {
  std::int64_t run_id = 0;  // may have been removed since
  bool same_request = true;
};

struct RunRow {
  std::int64_t id = 0;
  std::string target;
  std::string trigger;       // "schedule", "api", "startup"
  std::string requested_by;  // who asked, for "api"
  RunState state = RunState::kQueued;
  std::optional<Verdict> verdict;  // only when finished
  std::int64_t queued_at_ms = 0;
  std::optional<std::int64_t> started_at_ms;
  std::optional<std::int64_t> finished_at_ms;
  std::string spec_json;  // replays the run
  RunResult result;       // profile and seed always; the rest as far as known. findings stays empty: see FindingRow
};

// One of those that its incident keeps (storage/tables/incident_records.h).
struct FindingRow {
  std::int64_t id = 0;
  std::int64_t run_id = 0;
  std::int64_t incident_id = 0;
  std::string target;
  std::string profile;
  std::string kernel_release;
  std::string fstype;
  std::int64_t found_at_ms = 0;
  std::optional<std::int64_t> acknowledged_at_ms;
  std::string acknowledged_by;
  std::string note;
  Finding finding;
};

struct KernelRow {
  std::string release;
  std::uint64_t runs = 0;
  std::uint64_t writes = 0;
  std::uint64_t exposures = 0;
  FindingTally tally;
  std::int64_t first_seen_ms = 0;
  std::int64_t last_seen_ms = 0;
};

// A durable event. Progress is not stored.
struct EventRow {
  std::int64_t id = 0;
  std::int64_t at_ms = 0;
  // run.queued, run.started, run.finished, incident.opened, incident.reopened, incident.resolved,
  // incident.acknowledged, target.paused, target.resumed; before there were incidents also finding
  std::string type;
  std::optional<std::int64_t> run_id;
  std::string target;
  std::string data_json;
};

// What the counters in /metrics go on from after a restart: one row per target and profile ever run.
struct TotalsRow {
  std::string target;
  std::string profile;
  std::array<std::uint64_t, kAllVerdicts.size()> runs_by_verdict{};
  RunCounters counters;
  FindingTally tally;
  std::optional<std::int64_t> last_run_ms;    // end of the last finished run
  std::optional<std::int64_t> last_clean_ms;  // end of the last clean one
  std::optional<Verdict> last_verdict;
  std::optional<std::int64_t> last_run_id;
};

// Finished runs of one stretch of time, of one kernel and, if asked for, of one target and profile.
struct ActivityRow {
  std::int64_t from_ms = 0;     // where the stretch begins
  std::string target, profile;  // empty: of all
  std::string kernel;           // empty: of runs that never told
  std::array<std::uint64_t, kAllVerdicts.size()> runs_by_verdict{};
  std::uint64_t writes = 0;
  std::uint64_t exposures = 0;
  FindingTally tally;
};

struct ActivityFilter {
  std::optional<std::string> target, profile;
  std::int64_t since_ms = 0;  // queued_at, inclusive
  std::int64_t until_ms = 0;  // exclusive
  std::int64_t step_ms = 0;   // length of a stretch; the first begins at since_ms
  bool by_profile = false;    // a row for each target and profile
};

// One finished run in a strip of many.
struct RunMark {
  std::int64_t id = 0;
  Verdict verdict = Verdict::kError;
  std::int64_t finished_at_ms = 0;
  std::uint64_t exposures = 0;
  std::uint64_t findings = 0;
};

struct HistoryRow {
  // What a page goes on after; no name has a '/' in it.
  std::string place() const { return target + "/" + profile; }

  std::string target, profile;
  std::vector<RunMark> runs;  // oldest first
};

struct HistoryFilter {
  std::optional<std::string> target, profile;
  int limit = 50;           // runs per target and profile
  std::size_t rows = 1000;  // targets and profiles
  std::string after;        // "target/profile" of the last one on the page before; empty: from the first
};

// A change that somebody asked for.
struct AuditRow {
  std::int64_t id = 0;
  std::int64_t at_ms = 0;
  std::string who;
  std::string address;
  std::string request_id;
  std::string method;
  std::string path;
  std::optional<std::string> outcome;  // "done", "refused", "failed"; nothing: it was begun, and the daemon ended
  std::string detail;                  // why it was refused or failed
};

struct AuditFilter {
  std::optional<std::int64_t> before_id;
  int limit = 50;
};

struct RunFilter {
  std::optional<std::string> target, profile, kernel;
  std::optional<Verdict> verdict;
  std::optional<RunState> state;
  std::optional<std::int64_t> since_ms, until_ms;  // queued_at, inclusive and exclusive
  std::optional<std::int64_t> before_id;           // the page after this id, newest first
  int limit = 50;
};

struct FindingFilter {
  std::optional<std::string> target, profile, kernel;
  std::optional<FindingKind> kind;
  std::optional<bool> acknowledged;
  std::optional<std::int64_t> run_id, incident_id;
  std::optional<std::int64_t> since_ms, until_ms;
  std::optional<std::int64_t> before_id;
  int limit = 50;
};

}  // namespace writecanary::storage
