// What a daemon on this host says of the running kernel: which incidents of it are open or known.
#pragma once

#include <map>
#include <string>

#include "cli/client/client.h"

namespace writecanary::cli {

struct DaemonView {
  std::string url;
  bool reached = false;
  std::string why = {};                               // it was not, or did not say
  std::string kernel = {};                            // the release that it runs on
  std::map<std::string, std::size_t> incidents = {};  // of `release` by kind; those that one answer has room for
  bool has_more = false;
};

// Asks for incidents of this kernel release. Never throws for what the daemon does.
DaemonView ask_daemon(const std::string& url, const Credentials& credentials, const std::string& release);

// One sentence for people.
std::string describe(const DaemonView& view, const std::string& release);

}  // namespace writecanary::cli
