// The daemon's configuration: what may be set, what it is when it is not set, and what makes no sense.
//
// Plain data that can be compared and printed. The keys are daemon/config/config_keys.h, reading TOML
// daemon/config/config_toml.h. What needs the machine (is the path mounted, does the probe know the profile) is checked
// here too, but against facts that the caller passes in. It deliberately knows nothing of files to open: checking a
// configuration touches no target.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "api/guard/access.h"
#include "core/host/mountinfo.h"
#include "core/run/profile_info.h"
#include "daemon/config/config_value.h"

namespace writecanary::daemon {

// What [defaults] sets and a [[target]] may override.
struct RunSettings {
  std::vector<std::string> profiles = {"append",      "nowait-contract",  "append-interposed",
                                       "mixed-model", "copy-after-write", "shared-blocks"};
  std::chrono::milliseconds every = std::chrono::minutes{15};
  double jitter_percent = 10;
  std::chrono::milliseconds duration = std::chrono::seconds{10};
  std::uint64_t writes = 200;  // 0: as many as fit in the duration
  std::uint64_t memory_bytes = 64ULL << 20;
  std::uint64_t evidence_bytes_max = 64ULL << 20;  // kept of one run; 0: nothing
  std::uint64_t bytes_per_day_max = 20ULL << 30;   // 0: no limit
  MinFree min_free{0, 5};
  std::string window;               // daemon/calendar/window.h; empty: always
  double memory_pressure_max = 20;  // PSI some avg60 in percent; 0: do not look
};

using ProfileOptions = std::map<std::string, std::int64_t>;

struct TargetConfig {
  std::string name;
  std::string path;
  bool require_mount = true;
  std::string fstype;  // expected; empty: any
  RunSettings settings;
  std::map<std::string, ProfileOptions> options;  // by profile
};

struct TokenConfig {
  std::string name;
  std::string role = "viewer";
  std::string sha256;  // of the token, 64 hexadecimal digits
};

// Where in the file something was said; line 0 for what the command line or nobody said.
struct Position {
  int line = 0;
  int column = 0;
};

// Where events are sent; an empty url: nowhere.
struct WebhookConfig {
  std::string url;
  std::string secret_file;
};

// "https://hooks.example:1/...": where it leads, without what may be a secret in it (a user, a path, a query).
std::string shown_address(const std::string& url);

struct Config {
  std::string listen = "127.0.0.1:9743";
  api::TlsFiles tls;
  std::vector<std::string> allowed_hosts;
  bool anonymous_read = false;
  std::string public_url;
  std::vector<std::string> trusted_proxies;
  std::uint64_t reads_per_second = 100;
  std::string alert_label = "instance";  // which says what host an alert is about; empty: it is not looked at
  std::vector<std::string> alert_hosts;  // this host in that label, beside its name
  std::vector<TokenConfig> tokens;
  std::string storage_path = "/var/lib/writecanary/results.db";
  std::uint64_t storage_bytes_max = 1ULL << 30;
  std::uint64_t runs_max = 1'000'000;
  std::uint64_t evidence_bytes_max = 1ULL << 30;  // of all runs together
  std::chrono::milliseconds keep_runs = std::chrono::hours{24 * 90};
  std::uint64_t concurrent_runs_max = 1;
  WebhookConfig webhook;
  RunSettings defaults;
  std::vector<TargetConfig> targets;
  // Positions by dotted key ("defaults.window", "target[0].path"), for messages only.
  std::map<std::string, Position> where;

  // Directories of the database and of the damaged files that runs keep.
  std::string state_directory() const;
  std::string evidence_root() const { return state_directory() + "/evidence"; }
  Position position(const std::string& key) const;
};

struct ConfigIssue {
  Position position;
  std::string text;
};

// What targets and tokens may be called: it ends up in labels, paths and logs.
bool is_name(const std::string& text);

// Values that are impossible by themselves or beside each other.
std::vector<ConfigIssue> check_values(const Config& config);
// Tokens, TLS, names and proxies; called by check_values.
void check_access(const Config& config, std::vector<ConfigIssue>& issues);
// Of a configuration without issues.
api::AccessRules access_rules(const Config& config);
// Profiles and options that the probe does not have.
std::vector<ConfigIssue> check_profiles(const Config& config, const Catalogue& catalogue);

struct MountIssues {
  std::vector<ConfigIssue> errors;    // the database would lie on what is tested
  std::vector<ConfigIssue> warnings;  // not mounted yet, or shared with the database on purpose
};
MountIssues check_mounts(const Config& config, const std::vector<Mount>& mounts);

// The filesystem that a target is on, or why runs on it are refused.
struct TargetMount {
  bool usable = false;
  Mount mount;  // empty when nothing holds the path
  std::string reason;
};
TargetMount locate(const TargetConfig& target, const std::vector<Mount>& mounts);

// Every value as `key = value in TOML`: what --dump-config prints and what two configurations are compared by.
std::map<std::string, std::string> flatten(const Config& config);
// One line per key that differs: `target.data.every: "15m" -> "30m"`.
std::vector<std::string> differences(const Config& before, const Config& after);

}  // namespace writecanary::daemon
