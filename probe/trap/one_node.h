// Keeps a thread on the CPUs of one NUMA node, so that all of its requests go to the same io-wq workers.
//
// Before 6.4 io-wq has workers of its own on each node, and a request goes to those of the CPU that submitted it
// (io_wq_enqueue(): wq->wqes[numa_node_id()]). A thread that is moved between the gate's request and the write would
// have the gate hold the workers of one node while the write goes to another's (probe/trap/gate.h). Since 6.4 there is
// one set of workers for all, and nothing is done. Not for memory: pages come from wherever the kernel takes them.
#pragma once

#include <sched.h>

#include <optional>
#include <string>
#include <vector>

#include "core/host/kernel_version.h"

namespace writecanary::probe {

// Pure. True as well where the version is not known.
bool has_workers_per_node(const std::optional<KernelVersion>& kernel);

// Of a list as sysfs has it ("0-3,8"); what cannot be read ends it.
std::vector<unsigned> parse_cpu_list(const std::string& text);

class OneNode {
 public:
  // For the calling thread, which must also be the one that ends it: nothing with one node, or where sysfs has none.
  explicit OneNode(const std::string& sysfs = "/sys");
  ~OneNode();  // the thread may run where it might before
  OneNode(const OneNode&) = delete;
  OneNode& operator=(const OneNode&) = delete;

  bool kept() const { return kept_; }

 private:
  bool kept_ = false;
  cpu_set_t before_{};
};

}  // namespace writecanary::probe
