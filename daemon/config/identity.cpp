#include "daemon/config/identity.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/hash.h"
#include "core/host/host_facts.h"

namespace writecanary::daemon {

std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t hash = fnv1a(text);
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccd;
  hash ^= hash >> 33;
  return hash;
}

std::string host_id() {
  try {
    auto id = read_file("/etc/machine-id");
    while (!id.empty() && id.back() == '\n') id.pop_back();
    if (!id.empty()) return id;
  } catch (const SystemError&) {
    // Containers often have none.
  }
  return host_name();
}

std::string boot_id() {
  try {
    auto id = read_file("/proc/sys/kernel/random/boot_id");
    while (!id.empty() && id.back() == '\n') id.pop_back();
    return id;
  } catch (const SystemError&) {
    return "";
  }
}

std::string cgroup_prefix(const std::string& storage_path) {
  return fmt::format("wc-{:08x}-", static_cast<std::uint32_t>(stable_hash(storage_path)));
}

std::string run_cgroup_name(const std::string& prefix, const std::string& run_id) { return prefix + "run-" + run_id; }

}  // namespace writecanary::daemon
