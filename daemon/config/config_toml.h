// The configuration as TOML: reading it with a line and column in every complaint, and printing it.
//
// All complaints of a file are collected, so that one look repairs it. Nothing is ignored: unknown keys and tables are
// errors, because a mistyped limit that is silently dropped is a limit that is not there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"

namespace writecanary::daemon {

struct ParsedConfig {
  Config config;                    // the defaults, and as much of the text as could be understood
  std::vector<ConfigIssue> issues;  // empty: the text is right
};

// Also runs check_values.
ParsedConfig parse_config(std::string_view text);

// The whole effective configuration; parse_config of it gives the same values again.
std::string dump_config(const Config& config);

}  // namespace writecanary::daemon
