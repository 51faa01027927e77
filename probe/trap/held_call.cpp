#include "probe/trap/held_call.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/fd.h"

namespace writecanary::probe {
namespace {

using HoldClock = std::chrono::steady_clock;

// The caller and the threads that it starts meanwhile stay on one processor. They take turns, and a turn that goes to
// another processor costs the interrupt that wakes it: much on a busy host, and most in an emulated guest.
class OnOneProcessor {
 public:
  OnOneProcessor() {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<unsigned>(std::max(sched_getcpu(), 0)), &one);
    moved_ = sched_getaffinity(0, sizeof before_, &before_) == 0 && sched_setaffinity(0, sizeof one, &one) == 0;
  }
  ~OnOneProcessor() {
    if (moved_) sched_setaffinity(0, sizeof before_, &before_);
  }
  OnOneProcessor(const OnOneProcessor&) = delete;
  OnOneProcessor& operator=(const OnOneProcessor&) = delete;

 private:
  cpu_set_t before_{};
  bool moved_ = false;
};

// A thread without signals: one that arrives while the kernel waits for a page makes the system call fail.
std::future<std::int64_t> start_thread(HeldWork work) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    auto started = std::async(std::launch::async, std::move(work));
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return started;
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
}

// What the thread of the call, the one that gives pages and the caller's tell each other.
class Hold {
 public:
  Hold(WithheldMemory& memory, const HoldPlan& plan)
      : memory_(memory), plan_(plan), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!wake_) throw_errno("eventfd");
  }

  // The thread that gives pages; ends with the call.
  void serve() {
    try {
      while (!call_ended_) {
        wait_for_news();
        while (const auto page = memory_.wanted()) want(*page);
        if (!wanted_.empty() && (given_ || beside_ended_ || HoldClock::now() >= due_)) give();
      }
    } catch (...) {
      memory_.abandon();
      tell(given_);
      throw;
    }
  }

  void tell_call_ended() { tell(call_ended_); }
  void tell_beside_ended() { tell(beside_ended_); }

  // Waits until the call has stopped or ended; whether it has stopped.
  bool wait_until_stopped() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopped_ || call_ended_ || given_; });
    return stopped_;
  }
  // Whether the first page was given only when what was done beside the call had ended. Of use when all have ended.
  bool in_order() const { return in_order_; }

 private:
  void wait_for_news() {
    pollfd news[] = {{memory_.descriptor(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
    int timeout = -1;
    if (!wanted_.empty()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(due_ - HoldClock::now());
      timeout = static_cast<int>(std::max<std::int64_t>(left.count(), 0));
    }
    if (poll(news, 2, timeout) < 0 && errno != EINTR) throw_errno("poll userfaultfd");
    std::uint64_t count = 0;
    if (read(wake_.get(), &count, sizeof count) < 0 && errno != EAGAIN) throw_errno("read eventfd");
  }

  void want(std::uintptr_t page) {
    if (++stops_ < plan_.stop) {
      if (plan_.on_the_way) plan_.on_the_way(stops_);
      return memory_.give(page);
    }
    if (!stopped_) due_ = HoldClock::now() + plan_.limit;
    wanted_.push_back(page);
    tell(stopped_);
  }

  void give() {
    if (!given_) in_order_ = beside_ended_;
    tell(given_);
    for (const std::uintptr_t page : wanted_) memory_.give(page);
    wanted_.clear();
  }

  void tell(std::atomic<bool>& what) {
    {
      const std::lock_guard lock(mutex_);
      what = true;
    }
    changed_.notify_all();
    const std::uint64_t one = 1;
    WC_CHECK(write(wake_.get(), &one, sizeof one) == sizeof one);
  }

  WithheldMemory& memory_;
  const HoldPlan& plan_;
  Fd wake_;  // readable when something was told
  unsigned stops_ = 0;
  std::vector<std::uintptr_t> wanted_;
  HoldClock::time_point due_;
  bool in_order_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> stopped_{false}, given_{false}, call_ended_{false}, beside_ended_{false};  // set under mutex_
};

struct Told {
  Hold& hold;
  ~Told() { hold.tell_call_ended(); }
};

// Without a way to hold it, the call runs beside what is done beside it.
HeldOutcome run_unheld(const HeldWork& call, const std::function<void()>& beside) {
  auto made = start_thread(call);
  beside();
  return {.result = made.get()};
}

// Whether a thread of this process waits in the kernel: its state is D or S (proc_pid_stat(5)).
bool waits_in_kernel(pid_t thread) {
  try {
    const std::string stat = read_file("/proc/self/task/" + std::to_string(thread) + "/stat");
    const std::size_t state = stat.rfind(") ") + 2;
    return stat.at(state) == 'D' || stat.at(state) == 'S';
  } catch (const SystemError&) {  // it has just ended
    return false;
  }
}

}  // namespace

HeldOutcome hold(WithheldMemory& memory, const HeldWork& call, const std::function<void()>& beside,
                 const HoldPlan& plan) {
  if (memory.descriptor() < 0) return run_unheld(call, beside);
  const OnOneProcessor pinned;
  Hold hold(memory, plan);
  HeldOutcome outcome;
  auto server = start_thread([&hold] { return hold.serve(), 0; });
  std::future<std::int64_t> made;
  try {
    made = start_thread([&] {
      const Told told{hold};
      return call();
    });
  } catch (...) {
    hold.tell_call_ended();
    throw;
  }
  try {
    outcome.stopped = hold.wait_until_stopped();
    beside();
  } catch (...) {
    hold.tell_beside_ended();
    throw;  // the threads are awaited by the destructors of their futures
  }
  hold.tell_beside_ended();
  outcome.result = made.get();
  server.get();
  outcome.beside_ended = outcome.stopped && hold.in_order();
  return outcome;
}

Contender::Contender(HeldWork work) {
  constexpr auto kLook = std::chrono::microseconds{200};
  auto thread = std::make_shared<std::atomic<pid_t>>(0);
  result_ = start_thread([work = std::move(work), thread] {
    *thread = gettid();
    return work();
  });
  const auto due = HoldClock::now() + kHoldLimit / 2;
  while (result_.wait_for(kLook) != std::future_status::ready) {
    if (HoldClock::now() >= due) return;
    if (*thread != 0 && waits_in_kernel(*thread)) return;
  }
  ended_at_once_ = true;
}

}  // namespace writecanary::probe
