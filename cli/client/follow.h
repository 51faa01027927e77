// Follows a daemon's event stream across broken connections.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "cli/client/client.h"

namespace writecanary::cli {

struct Patience {
  int attempts = 6;                           // failed connections in a row before giving up
  std::chrono::milliseconds first_wait{500};  // doubled after each
};

// Calls on_event for every event of the stream at `path` until it returns false. After a broken connection it goes on
// behind the last event that had an id. `on_retry` is told why before each wait. Throws what the last attempt threw.
void follow_events(const Client& client, const std::string& path, const Patience& patience,
                   const std::function<bool(const SseEvent&)>& on_event,
                   const std::function<void(const std::string&)>& on_retry);

}  // namespace writecanary::cli
