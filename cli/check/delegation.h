// What somebody types who may make no memory cgroup: the same command again, in a cgroup that systemd delegates.
//
// systemd lends an ordinary user a cgroup of its own through the user's service manager, and through the system's one
// with root's help. This program does not do that by itself: a command that was asked to check a directory should not
// start units.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace writecanary::cli {

// Who asks, and what service managers are there.
struct Caller {
  uid_t uid = 0;
  bool systemd = false;            // it is this host's init
  std::string runtime_directory;   // of a user manager that runs; empty: none does
  bool knows_the_manager = false;  // XDG_RUNTIME_DIR names that directory
};
Caller find_caller();

// Lines for stderr; empty for root, who needs no help, and where there is no systemd.
std::string delegation_advice(const std::vector<std::string>& command_line, const Caller& caller);

}  // namespace writecanary::cli
