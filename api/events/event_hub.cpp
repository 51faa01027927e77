#include "api/events/event_hub.h"

#include <algorithm>

#include "core/base/limits.h"

namespace writecanary::api {

void EventHub::publish(LiveEvent event) {
  {
    std::lock_guard lock(mutex_);
    if (closed_) return;
    event.sequence = ++last_sequence_;
    events_.push_back(std::move(event));
    if (events_.size() > kLiveEventsMax) events_.pop_front();
  }
  arrived_.notify_all();
}

std::vector<LiveEvent> EventHub::wait_after(std::uint64_t sequence, std::chrono::milliseconds timeout) const {
  std::unique_lock lock(mutex_);
  arrived_.wait_for(lock, timeout, [&] { return closed_ || last_sequence_ > sequence; });
  if (closed_) return {};
  const auto first =
      std::find_if(events_.begin(), events_.end(), [&](const LiveEvent& event) { return event.sequence > sequence; });
  return {first, events_.end()};
}

std::uint64_t EventHub::last_sequence() const {
  std::lock_guard lock(mutex_);
  return last_sequence_;
}

void EventHub::close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  arrived_.notify_all();
}

bool EventHub::closed() const {
  std::lock_guard lock(mutex_);
  return closed_;
}

}  // namespace writecanary::api
