#include "probe/trap/one_node.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "core/base/error.h"
#include "core/base/fd.h"

namespace writecanary::probe {
namespace {

namespace fs = std::filesystem;

constexpr KernelVersion kWorkersForAll{6, 4, 0};

// The CPUs of each node that has any.
std::vector<std::vector<unsigned>> cpus_of_nodes(const std::string& sysfs) {
  std::vector<std::vector<unsigned>> nodes;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(sysfs + "/devices/system/node", none)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with("node") || name.find_first_not_of("0123456789", 4) != std::string::npos) continue;
    try {
      nodes.push_back(parse_cpu_list(read_file(entry.path() / "cpulist")));
    } catch (const SystemError&) {  // taken away meanwhile
    }
    if (!nodes.empty() && nodes.back().empty()) nodes.pop_back();
  }
  return nodes;
}

}  // namespace

bool has_workers_per_node(const std::optional<KernelVersion>& kernel) { return !kernel || *kernel < kWorkersForAll; }

std::vector<unsigned> parse_cpu_list(const std::string& text) {
  std::vector<unsigned> cpus;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    unsigned first = 0;
    const char* next = nullptr;
    if (const auto read = std::from_chars(at, end, first); read.ec == std::errc{}) next = read.ptr;
    if (next == nullptr) break;
    unsigned last = first;
    if (next != end && *next == '-') next = std::from_chars(next + 1, end, last).ptr;
    for (unsigned cpu = first; cpu <= last && cpu < CPU_SETSIZE; ++cpu) cpus.push_back(cpu);
    at = next != end && *next == ',' ? next + 1 : end;
  }
  return cpus;
}

OneNode::OneNode(const std::string& sysfs) {
  const std::vector<std::vector<unsigned>> nodes = cpus_of_nodes(sysfs);
  const int here = sched_getcpu();
  if (nodes.size() < 2 || here < 0) return;
  const auto node = std::ranges::find_if(
      nodes, [&](const auto& cpus) { return std::ranges::find(cpus, static_cast<unsigned>(here)) != cpus.end(); });
  if (node == nodes.end() || sched_getaffinity(0, sizeof before_, &before_) != 0) return;
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  for (const unsigned cpu : *node) {
    if (CPU_ISSET(cpu, &before_)) CPU_SET(cpu, &allowed);
  }
  kept_ = sched_setaffinity(0, sizeof allowed, &allowed) == 0;
}

OneNode::~OneNode() {
  if (kept_) sched_setaffinity(0, sizeof before_, &before_);
}

}  // namespace writecanary::probe
