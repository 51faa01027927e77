// The daemon's log, on standard error. Lines carry names, paths and texts of others; whatever is in them, a line is one
// line and says nothing to a terminal: control characters are written \xNN. Everything that is logged goes through
// here.
#pragma once

#include <string>
#include <string_view>

namespace writecanary::daemon {

// Makes spdlog's default logger. `level` is one of spdlog's names.
void set_up_log(const std::string& level);

// As it is logged.
std::string one_line(std::string_view text);

}  // namespace writecanary::daemon
