// A gate before the io-wq workers of this thread: while it is closed, work that the kernel handed to a worker waits.
//
// The trap needs the memory limit low during the inline attempt and high during the worker's retry, and the measure
// needs to see what the inline attempt left in the file before the worker adds to it. Both are races against the
// worker, lost now and then: a retry under the low limit grinds through reclaim or is OOM-killed, and growth by the
// worker looks like growth by the inline attempt. With the gate neither can happen: io-wq is limited to one worker,
// and that worker is kept busy with a request that blocks until the gate opens.
//
// io_uring has two kinds of workers, and a write can end on either (io_uring/io_uring.c, io_prep_async_work()):
// a write to a regular file that was tried inline goes to a bounded worker; a request with IOSQE_ASYNC has no file
// assigned yet when it is queued and goes to an unbounded one. Each has its own way of being kept busy: opening a
// FIFO that nobody writes to (bounded), a splice from an empty pipe (unbounded). On 6.12 requests with IOSQE_ASYNC were
// seen on both, so these need both gates.
//
// It does not make the kernel do anything it would not do by itself with a slow worker.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/base/fd.h"
#include "probe/trap/ring.h"

namespace writecanary::probe {

enum class Workers { kBounded, kUnbounded };

class Gate {
 public:
  // kBounded makes a FIFO called `fifo`, or one in /tmp where that filesystem has none (FUSE may not), and takes its
  // name away again. Null when this kernel cannot limit its workers (before 5.15); the caller then works ungated. The
  // gate uses the ring and must not outlive it.
  static std::unique_ptr<Gate> make(Ring& ring, Workers workers, const std::string& fifo);
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // Occupies the worker. Work submitted before still runs; work submitted after waits.
  void close();
  // Lets the workers go on and takes the blocker's completion off the ring. Returns the first other completion that
  // came meanwhile, if any: the caller has at most one request of its own in flight. Opening an open gate does nothing.
  std::optional<Completion> open();
  bool closed() const { return closed_; }

 private:
  Gate(Ring& ring, Workers workers) : ring_(ring), workers_(workers) {}

  Ring& ring_;
  Workers workers_;
  bool closed_ = false;
  std::string fifo_path_;
  Fd fifo_, pipe_read_, pipe_write_, sink_;
};

}  // namespace writecanary::probe
