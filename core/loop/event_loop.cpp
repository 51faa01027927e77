#include "core/loop/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "core/base/error.h"

namespace writecanary {
namespace {

Fd checked(int fd, const char* tried) {
  if (fd < 0) throw_errno(tried);
  return Fd{fd};
}

std::uint64_t read_count(int fd) {
  std::uint64_t count = 0;
  // Nothing there (EAGAIN) is as good as zero.
  if (::read(fd, &count, sizeof count) != sizeof count) return 0;
  return count;
}

}  // namespace

EventLoop::Watch::Watch(Watch&& other) noexcept
    : loop_(std::exchange(other.loop_, nullptr)), fd_(other.fd_), id_(other.id_) {}

EventLoop::Watch& EventLoop::Watch::operator=(Watch&& other) noexcept {
  if (this != &other) {
    reset();
    loop_ = std::exchange(other.loop_, nullptr);
    fd_ = other.fd_;
    id_ = other.id_;
  }
  return *this;
}

void EventLoop::Watch::reset() {
  if (loop_ != nullptr) std::exchange(loop_, nullptr)->forget(fd_, id_);
}

EventLoop::EventLoop() : epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {}

EventLoop::Watch EventLoop::watch(int fd, std::uint32_t events, Callback callback) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = next_id_;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) throw_errno("epoll_ctl add");
  callbacks_[next_id_] = std::make_shared<Callback>(std::move(callback));
  return {this, fd, next_id_++};
}

void EventLoop::forget(int fd, std::uint64_t id) {
  callbacks_.erase(id);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void EventLoop::run_once() {
  std::array<epoll_event, 32> events{};
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
  if (count < 0) {
    if (errno == EINTR) return;
    throw_errno("epoll_wait");
  }
  for (int i = 0; i < count; ++i) {
    // An earlier callback of this round may have ended the watch.
    const auto found = callbacks_.find(events[static_cast<std::size_t>(i)].data.u64);
    if (found == callbacks_.end()) continue;
    const auto callback = found->second;
    (*callback)();
  }
}

Timer::Timer(EventLoop& loop, EventLoop::Callback callback)
    : fd_(checked(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create")),
      watch_(loop.watch(fd_.get(), EPOLLIN, [this, call = std::move(callback)] {
        if (read_count(fd_.get()) > 0) call();
      })) {}

void Timer::set(SteadyTime at) {
  using std::chrono::duration_cast;
  // A time of zero would disarm it.
  const auto since = std::max<std::chrono::nanoseconds>(at.time_since_epoch(), std::chrono::nanoseconds{1});
  const auto seconds = duration_cast<std::chrono::seconds>(since);
  itimerspec spec{};
  spec.it_value.tv_sec = seconds.count();
  spec.it_value.tv_nsec = (since - seconds).count();
  if (::timerfd_settime(fd_.get(), TFD_TIMER_ABSTIME, &spec, nullptr) != 0) throw_errno("timerfd_settime");
}

void Timer::cancel() {
  const itimerspec spec{};
  if (::timerfd_settime(fd_.get(), 0, &spec, nullptr) != 0) throw_errno("timerfd_settime");
}

WakeUp::WakeUp() : fd_(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {}

void WakeUp::signal() const {
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the loop is awake anyway.
  [[maybe_unused]] const auto written = ::write(fd_.get(), &one, sizeof one);
}

void WakeUp::clear() const { read_count(fd_.get()); }

Signals::Signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
  if (::pthread_sigmask(SIG_BLOCK, &set, nullptr) != 0) throw_errno("pthread_sigmask");
  fd_ = checked(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
}

int Signals::take() const {
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof info) != sizeof info) return 0;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace writecanary
