// `writecanary at-risk`: after "this kernel duplicates appends", which of my services append that way?
//
// Names processes that hold an io_uring and files opened with O_APPEND, and says what of this nobody can know from
// outside. It opens none of the files, attaches to nothing and needs no daemon, though it asks one that is there.
#pragma once

#include <chrono>
#include <string>

#include "cli/client/client.h"
#include "cli/terminal/environment.h"

namespace writecanary::cli {

inline constexpr int kExitNotAllSeen = 3;  // some processes could not be read: not named is not the same as not there

struct AtRiskOptions {
  std::string path;                    // on the filesystem that is asked about; empty: any local one
  std::chrono::milliseconds watch{0};  // how long to count requests that are punted; 0: not at all
  bool json = false;
};

inline constexpr std::chrono::hours kWatchMax{1};

// Prints who is at risk and returns the exit code: 0, or kExitNotAllSeen. Throws UsageError for a path that is not
// there, SystemError when there is
// no /proc. `url` is that of a daemon that is asked too, if it is there.
int at_risk(const Environment& environment, const AtRiskOptions& options, const std::string& url,
            const Credentials& credentials);

}  // namespace writecanary::cli
