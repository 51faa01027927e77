#include "cli/client/follow.h"

#include <thread>

namespace writecanary::cli {
namespace {

// The daemon sends a comment every 15 seconds; three missed ones are a dead connection.
constexpr std::chrono::seconds kSilenceMax{45};
constexpr std::chrono::milliseconds kWaitMax{10'000};

}  // namespace

void follow_events(const Client& client, const std::string& path, const Patience& patience,
                   const std::function<bool(const SseEvent&)>& on_event,
                   const std::function<void(const std::string&)>& on_retry) {
  std::string last_id;
  int failures = 0;
  std::chrono::milliseconds wait = patience.first_wait;
  for (;;) {
    std::string why = "the daemon ended the stream";
    try {
      const bool finished = client.stream(path, last_id, kSilenceMax, [&](const SseEvent& event) {
        last_id = event.id;
        failures = 0;
        wait = patience.first_wait;
        return on_event(event);
      });
      if (finished) return;
      if (failures + 1 >= patience.attempts) throw CommandError(kExitFailed, why + " again and again");
    } catch (const Unreachable& error) {
      if (failures + 1 >= patience.attempts) throw;
      why = error.what();
    }
    ++failures;
    on_retry(why);
    std::this_thread::sleep_for(wait);
    wait = std::min(wait * 2, kWaitMax);
  }
}

}  // namespace writecanary::cli
