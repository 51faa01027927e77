// The commands that talk to a daemon. Each prints its result to environment.out and returns the exit code; failures
// are CommandError or ProtocolError, reported by the caller. With `json` they print the API's document unchanged.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "cli/client/client.h"
#include "cli/terminal/environment.h"
#include "core/run/verdict.h"

namespace writecanary::cli {

// Query parameters of a listing, as the API names them; empty values are left out.
using Filter = std::map<std::string, std::string>;

int show_status(const Environment& environment, const Client& client, bool json);
// Whether the daemon's loop goes round; needs no token.
int show_health(const Environment& environment, const Client& client, bool json);
int show_targets(const Environment& environment, const Client& client, bool json);
int show_runs(const Environment& environment, const Client& client, const Filter& filter, bool json);
int show_findings(const Environment& environment, const Client& client, const Filter& filter, bool json);
// Asks the probe, not a daemon.
int show_profiles(const Environment& environment, bool json);

struct RunRequest {
  std::string target;
  std::string profile = "append";
  std::optional<std::uint64_t> duration_ms, writes, seed, memory_bytes;
  std::map<std::string, std::int64_t> options;
  bool classic = false;
  bool queue = false;
  bool wait = false;    // until it has ended; the exit code is its verdict's
  bool follow = false;  // wait, and draw its progress
  FailOn fail_on = FailOn::kViolation;
  bool json = false;
};
int start_run(const Environment& environment, const Client& client, const RunRequest& request);
int stop_run(const Environment& environment, const Client& client, std::int64_t run, bool json);
// One line per event as they come, of one run until it ends or of all without end.
int watch(const Environment& environment, const Client& client, std::optional<std::int64_t> run, bool json);

// Newest first; the filter says which states.
int show_incidents(const Environment& environment, const Client& client, const Filter& filter, bool json);
// `until`: "kernel", "rate" or a date, as the API takes it.
int acknowledge(const Environment& environment, const Client& client, std::int64_t incident, const std::string& note,
                const std::string& until, bool json);
int report(const Environment& environment, const Client& client, std::int64_t finding, bool json);
// One C file that shows the finding by itself.
int reproducer(const Environment& environment, const Client& client, std::int64_t finding);

}  // namespace writecanary::cli
