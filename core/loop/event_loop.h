// One thread waiting for many descriptors: epoll, timers on it, and nothing else.
//
// Everything here belongs to the loop's thread. A callback may add and remove watches, also its own; it must not
// block. Time-outs are timerfds on the monotonic clock, so the wall clock may jump.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "core/base/clock.h"
#include "core/base/fd.h"

namespace writecanary {

class EventLoop {
 public:
  using Callback = std::function<void()>;

  // Ends the watch when destroyed. The descriptor must outlive it, the loop too.
  class Watch {
   public:
    Watch() = default;
    Watch(Watch&& other) noexcept;
    Watch& operator=(Watch&& other) noexcept;
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch() { reset(); }
    void reset();

   private:
    friend class EventLoop;
    Watch(EventLoop* loop, int fd, std::uint64_t id) : loop_(loop), fd_(fd), id_(id) {}
    EventLoop* loop_ = nullptr;
    int fd_ = -1;
    std::uint64_t id_ = 0;
  };

  // Throws SystemError.
  EventLoop();

  // Calls back whenever the descriptor has one of the events (EPOLLIN, EPOLLPRI; EPOLLHUP and EPOLLERR always).
  [[nodiscard]] Watch watch(int fd, std::uint32_t events, Callback callback);
  // Waits until something happened and dispatches all that did. Throws SystemError, and what callbacks throw.
  void run_once();

 private:
  void forget(int fd, std::uint64_t id);

  Fd epoll_;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, std::shared_ptr<Callback>> callbacks_;
};

// Calls back once at the time it is set to. Setting it again replaces the time.
class Timer {
 public:
  Timer(EventLoop& loop, EventLoop::Callback callback);
  void set(SteadyTime at);
  void cancel();

 private:
  Fd fd_;
  EventLoop::Watch watch_;
};

// A descriptor that any thread can make readable, to wake the loop.
class WakeUp {
 public:
  WakeUp();
  int fd() const { return fd_.get(); }
  void signal() const;  // any thread
  void clear() const;   // loop thread

 private:
  Fd fd_;
};

// SIGTERM, SIGINT and SIGHUP as a descriptor. From its making on they are blocked in this thread and in those that it
// starts, also after its end.
class Signals {
 public:
  Signals();
  int fd() const { return fd_.get(); }
  // The next pending one, 0 for none.
  int take() const;

 private:
  Fd fd_;
};

}  // namespace writecanary
