// From the loop to every open event stream. Durable events carry their row id (storage::EventRow) and were committed
// before; progress events have no id and are only for those who listen right now.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"

namespace writecanary::api {

struct LiveEvent {
  std::uint64_t sequence = 0;      // order of publication in this process, from 1
  std::optional<std::int64_t> id;  // row id of a durable event
  std::string type;
  std::optional<std::int64_t> run_id;
  std::string data_json;
};

class EventHub {
 public:
  // The loop publishes; never blocks. The oldest beyond kLiveEventsMax are dropped: streams notice the gap and catch
  // up from the database.
  void publish(LiveEvent event);
  // Events after `sequence`, waiting up to `timeout` for the first. Empty on time-out or after close().
  std::vector<LiveEvent> wait_after(std::uint64_t sequence, std::chrono::milliseconds timeout) const;
  std::uint64_t last_sequence() const;
  // Wakes everyone for the last time.
  void close();
  bool closed() const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable arrived_;
  std::deque<LiveEvent> events_;     // guarded by mutex_
  std::uint64_t last_sequence_ = 0;  // guarded by mutex_
  bool closed_ = false;              // guarded by mutex_
};

}  // namespace writecanary::api
