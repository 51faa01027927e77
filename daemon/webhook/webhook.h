// Delivers the events of the outbox to one receiver, each at least once and in order.
//
// A thread of its own sends, so that a receiver that hangs holds up nothing; the loop's thread alone writes to the
// store. What was delivered and not yet noted when the daemon dies is sent again: receivers go by the event's id. The
// order is that of all events, so also that of each run. A receiver that is down or answers with a failure is tried
// again, ever less often; it is never given up, because what waits is what somebody has to hear of. Only an answer that
// says the event itself can never be taken (400, 413, 415, 422) ends the attempts for this one, so that it cannot hold
// up others; unless it may be about the time stamp.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/base/clock.h"
#include "core/loop/event_loop.h"
#include "daemon/clock/clock_watch.h"
#include "daemon/config/config.h"
#include "storage/reader/reader.h"
#include "storage/store/store.h"

namespace httplib {
class Client;
}

namespace writecanary::daemon {

struct WebhookTarget {
  std::string url;
  std::string secret;
};

// Reads the secret. Nothing without a url. Throws SystemError, or std::runtime_error when the file holds no secret.
std::optional<WebhookTarget> load_webhook(const WebhookConfig& config);

// Whether such an answer ends the attempts for an event that was not taken. Receivers refuse a time stamp that is not
// theirs: as long as our clock is suspect, or theirs (the answer's Date) is another than the one that was signed, it
// may be that.
bool is_final(int status, const std::string& date, SystemTime signed_time, bool suspect);

// How long to wait after so many failures in a row: a second, doubled each time, at most five minutes.
std::chrono::milliseconds webhook_wait(int failures);

class Webhook {
 public:
  // All must outlive this; `host` is this host's name.
  Webhook(EventLoop& loop, storage::Store& store, const storage::Reader& reader, const Clock& clock,
          const ClockWatch& watch, std::string host);
  // Waits for the request under way to be broken off.
  ~Webhook();

  // These belong to the loop's thread. Nothing: events are no longer kept, and those that wait are dropped. Throws
  // StorageError.
  void configure(std::optional<WebhookTarget> target);
  // Notes what was delivered. Happens by itself; call it now and then for what a failing database refused.
  void settle();
  std::uint64_t pending() const { return pending_; }

 private:
  void run();
  bool deliver(const storage::EventRow& event, const WebhookTarget& target, int failures);
  // False when it is time to end.
  bool wait(std::chrono::milliseconds time);

  storage::Store& store_;
  const storage::Reader& reader_;
  const Clock& clock_;
  const ClockWatch& clock_watch_;
  const std::string host_;
  WakeUp wake_up_;
  EventLoop::Watch watch_;
  std::uint64_t pending_ = 0;  // loop thread
  bool keeps_ = false;         // loop thread

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::optional<WebhookTarget> target_;
  std::vector<std::int64_t> delivered_;
  httplib::Client* client_ = nullptr;  // of the request under way
  bool stopping_ = false;

  std::thread thread_;  // from the first target on
};

}  // namespace writecanary::daemon
