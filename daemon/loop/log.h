// The daemon's log, on standard error. Lines carry names, paths and texts of others; whatever is in them, a line is one
// line and says nothing to a terminal (core/base/system_text.h). Everything that is logged goes through here.
#pragma once

#include <string>

namespace writecanary::daemon {

// Makes spdlog's default logger. `level` is one of spdlog's names.
void set_up_log(const std::string& level);

}  // namespace writecanary::daemon
