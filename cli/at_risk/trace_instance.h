// A tracing buffer of our own (tracefs, Documentation/trace/ftrace.rst, "Instances"): other tracing on the host is not
// disturbed, and all of it goes when we go.
#pragma once

#include <string>
#include <vector>

#include "core/base/fd.h"

namespace writecanary::cli {

class TraceInstance {
 public:
  // Makes the instance below a mounted tracefs and enables the events that write requests of io_uring leave. Instances
  // that a killed process of ours left are removed. Throws SystemError that says what is missing and the way out.
  TraceInstance();
  ~TraceInstance();
  TraceInstance(const TraceInstance&) = delete;
  TraceInstance& operator=(const TraceInstance&) = delete;

  // What has come since the last call, at most a few hundred KiB of it; empty: nothing. Does not wait.
  std::string read();

 private:
  void enable(const std::string& event, const std::string& filter);

  std::string directory_;
  Fd pipe_;
};

}  // namespace writecanary::cli
