// What the command line's files share: which command was typed, and the options of those that talk to a daemon.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "cli/client/client.h"
#include "cli/terminal/environment.h"

namespace writecanary::cli {

// What was chosen: the command's own options live in the closures.
struct Chosen {
  std::function<int()> action;
  std::string url = kDefaultUrl;
  Credentials credentials;
};

// A command with the options that say which daemon and how to get in; without `json` there is no --json.
CLI::App* add_daemon_command(CLI::App& app, Chosen& chosen, const std::string& name, const std::string& help,
                             bool* json);
// Commands for whoever has a finding and must do something about it: reproducer, at-risk. All arguments must outlive
// the parsing.
void add_on_call(CLI::App& app, const Environment& environment, Chosen& chosen);

}  // namespace writecanary::cli
