// What tells this host and this daemon from others.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace writecanary::daemon {

// fnv1a() with a final mix. The same on every build and machine, unlike std::hash: schedules and the names of
// cgroups that a crash left behind depend on it.
std::uint64_t stable_hash(std::string_view text);

// /etc/machine-id, or the host's name where there is none.
std::string host_id();
// Of the running kernel: another one after each boot. Empty when nobody tells.
std::string boot_id();

// Begins the name of every cgroup of the daemon with this database, so that two daemons on one host leave each
// other's runs alone.
std::string cgroup_prefix(const std::string& storage_path);
// Of one run or sweep.
std::string run_cgroup_name(const std::string& prefix, const std::string& run_id);

}  // namespace writecanary::daemon
