#include "api/events/event_feed.h"

namespace writecanary::api {
namespace {

constexpr int kEventsPerRead = 200;
constexpr char kLastEventOfRun[] = "run.finished";

}  // namespace

EventFeed::EventFeed(const storage::Reader& reader, const EventHub& hub, std::optional<std::int64_t> after_id,
                     std::optional<std::int64_t> run_id)
    : reader_(reader), hub_(hub), run_id_(run_id), sequence_(hub.last_sequence()) {
  // After the sequence was taken: see the top of the header.
  const auto newest = reader.last_event_id();
  if (after_id && *after_id <= newest) {
    last_id_ = *after_id;
  } else if (!run_id) {
    last_id_ = newest;
  }
  if (run_id) {
    const auto run = reader.run(*run_id);
    run_was_over_ = !run || run->state == RunState::kFinished;
  }
}

std::string EventFeed::next(std::chrono::milliseconds timeout) { return behind_ ? catch_up() : live(timeout); }

std::string EventFeed::catch_up() {
  std::string text;
  const auto rows = reader_.events_after(last_id_, run_id_, kEventsPerRead);
  for (const auto& row : rows) append(text, row.id, row.type, row.data_json);
  if (static_cast<int>(rows.size()) < kEventsPerRead) {
    behind_ = false;
    if (run_was_over_) ended_ = true;
  }
  return text;
}

std::string EventFeed::live(std::chrono::milliseconds timeout) {
  const auto events = hub_.wait_after(sequence_, timeout);
  if (events.empty()) {
    ended_ = ended_ || hub_.closed();
    return {};
  }
  const bool dropped = events.front().sequence != sequence_ + 1;
  sequence_ = events.back().sequence;
  if (dropped) {  // everything durable among these was committed before: the database has it all
    behind_ = true;
    return {};
  }
  std::string text;
  for (const auto& event : events) {
    if (!run_id_ || event.run_id == run_id_) append(text, event.id, event.type, event.data_json);
  }
  return text;
}

void EventFeed::append(std::string& text, std::optional<std::int64_t> id, const std::string& type,
                       const std::string& data) {
  if (ended_ || (id && *id <= last_id_)) return;
  if (id) {
    last_id_ = *id;
    text += "id: " + std::to_string(*id) + "\n";
  }
  text += "event: " + type + "\ndata: " + data + "\n\n";
  if (run_id_ && type == kLastEventOfRun) ended_ = true;
}

}  // namespace writecanary::api
