// The probe's voice: events as NDJSON on a descriptor, one write per line.
//
// A reader that went away is not an error of the run: it only means that nobody listens, and the run should end.
#pragma once

#include "core/run/protocol.h"

namespace writecanary::probe {

class Emitter {
 public:
  explicit Emitter(int fd) : fd_(fd) {}

  // Blocks while the pipe is full. SIGPIPE must be ignored.
  void send(const Event& event);
  // True once the reader has gone.
  bool broken() const { return broken_; }

 private:
  int fd_;
  bool broken_ = false;
};

}  // namespace writecanary::probe
