// The command line: what may be typed, and where it goes. The one boundary where failures become text and exit code.
#pragma once

#include <string>
#include <vector>

#include "cli/terminal/environment.h"

namespace writecanary::cli {

// Runs one command; `arguments` without the program's name. Returns the exit code and never throws.
int run_command_line(const Environment& environment, std::vector<std::string> arguments);

}  // namespace writecanary::cli
