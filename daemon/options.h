// The daemon's command line, and the configuration that it leads to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/config/config.h"

namespace writecanary::daemon {

inline constexpr char kDefaultConfigFile[] = "/etc/writecanary/writecanary.toml";

struct Options {
  std::string config_file;  // empty: kDefaultConfigFile if it is there, else the built-in defaults
  std::vector<TargetConfig> targets;
  std::string state_directory;
  std::string listen;
  std::string log_level = "info";
  bool check_config = false;
  bool dump_config = false;
  std::string config_reference;  // not empty: print the reference in this format and end
  bool once = false;
  std::string backup_file;  // not empty: copy the database there and end
};

// What the command line wants: to go on with options, or to end at once.
struct ParsedOptions {
  std::optional<Options> options;
  int exit_code = 0;  // when there are no options: help, version or an error was printed
};
ParsedOptions parse_options(int argc, const char* const* argv);

// A configuration with where it came from.
struct LoadedConfig {
  Config config;
  std::string path;                   // empty: built-in defaults
  std::vector<std::string> errors;    // "FILE:LINE:COLUMN: what, and the way out"
  std::vector<std::string> warnings;  // likewise
};
// Reads the file and puts the command line over it. Checks everything that needs neither the probe nor a target.
LoadedConfig load_config(const Options& options, const std::string& mountinfo = "/proc/self/mountinfo");
// "FILE:LINE:COLUMN: text", shorter when there is no file or line.
std::string describe(const ConfigIssue& issue, const std::string& path);

}  // namespace writecanary::daemon
