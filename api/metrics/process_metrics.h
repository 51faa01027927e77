// The process_* metrics that every Prometheus client library exposes, read from /proc/self at each scrape.
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <vector>

namespace writecanary::api {

// What cannot be read is left out. The directories are parameters for tests. Any thread.
std::vector<prometheus::MetricFamily> process_metrics(const std::string& proc_self = "/proc/self",
                                                      const std::string& proc_stat = "/proc/stat");

}  // namespace writecanary::api
