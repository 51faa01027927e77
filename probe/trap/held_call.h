// One system call held open in its middle while something else is done beside it.
//
// The call is made in a thread of its own, with memory of which a page is withheld (probe/trap/withheld_memory.h). When
// it comes to that page it stops, this thread does what is to be done beside it, and then the page is given. What is
// known afterwards is known for certain: that the call had begun and had not ended while the other thing was done from
// its begin to its end. That, and nothing less, is held().
//
// What is done beside it may itself wait for the call (truncation waits for the inode's lock, which a write holds). So
// that nothing hangs, the page is given after a limit in any case, by a third thread; the call was then not held. What
// is *meant* to wait is a Contender: begun while the call is stopped, ended after it.
//
// Nothing stays behind: signals do not reach the threads, a process that is killed meanwhile dies at once (the kernel
// waits for such a page killably), and no file is involved. It does not know what the call does, nor what is right.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <optional>

#include "core/base/limits.h"
#include "probe/trap/withheld_memory.h"

namespace writecanary::probe {

// A system call: what it returned, or the negative errno.
using HeldWork = std::function<std::int64_t()>;

struct HeldOutcome {
  std::int64_t result = 0;    // of the call
  bool stopped = false;       // it came to the withheld page
  bool beside_ended = false;  // what was done beside it had ended before the page was given

  bool held() const { return stopped && beside_ended; }
};

struct HoldPlan {
  // The call goes on after this in any case.
  std::chrono::milliseconds limit = kHoldLimit;
  // It stops at each missing page that it comes to; at which of these stops it is held, counted from 1.
  unsigned stop = 1;
  // Done at each earlier one, before its page is given; by another thread, which must not touch a missing page.
  std::function<void(unsigned stop)> on_the_way = {};
};

// Makes the call and, once it has stopped, does `beside`, exactly once. If it ends without having stopped, `beside` is
// done after it; with memory that cannot be withheld, at the same time. `beside` must not touch the withheld page.
// Throws what `beside` threw, when the call has ended, and SystemError when the page could not be given.
HeldOutcome hold(WithheldMemory& memory, const HeldWork& call, const std::function<void()>& beside,
                 const HoldPlan& plan = {});

// Work that is expected to wait for the held call, in a thread of its own.
class Contender {
 public:
  // Begins it and returns when it has ended or waits in the kernel, at the latest after half the limit of a hold.
  explicit Contender(HeldWork work);
  // Whether it had ended when the constructor returned: then it did not wait.
  bool ended_at_once() const { return ended_at_once_; }
  // Whether it ends within that time.
  bool ends_within(std::chrono::milliseconds time) { return result_.wait_for(time) == std::future_status::ready; }
  // Waits for its end. Call it when the held call has ended.
  std::int64_t result() { return result_.get(); }

 private:
  std::future<std::int64_t> result_;
  bool ended_at_once_ = false;
};

}  // namespace writecanary::probe
