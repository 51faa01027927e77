// The events that one stream sends, in order, each durable one exactly once: first what the database holds, then what
// the hub brings, and the database again whenever the hub has dropped something meanwhile.
//
// Durable events are committed before they are published and their ids grow in that order. So whatever is published
// after `sequence_` was taken is either found in the database already (and known by its id when the hub brings it) or
// comes through the hub.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "api/events/event_hub.h"
#include "storage/reader/reader.h"

namespace writecanary::api {

class EventFeed {
 public:
  // Durable events after `after_id`, of one run only when run_id is given; then it ends with that run's run.finished.
  // Without after_id: everything stored for a run, or else only what happens from now on. An after_id that was not
  // given out yet is of another database, which this one replaced: as without. Both must outlive the feed.
  EventFeed(const storage::Reader& reader, const EventHub& hub, std::optional<std::int64_t> after_id,
            std::optional<std::int64_t> run_id);

  // The next events as text/event-stream, waiting up to `timeout` for the first; empty when there were none.
  // Throws StorageError.
  std::string next(std::chrono::milliseconds timeout);
  // Nothing more will come.
  bool ended() const { return ended_; }

 private:
  std::string catch_up();
  std::string live(std::chrono::milliseconds timeout);
  void append(std::string& text, std::optional<std::int64_t> id, const std::string& type, const std::string& data);

  const storage::Reader& reader_;
  const EventHub& hub_;
  const std::optional<std::int64_t> run_id_;
  std::uint64_t sequence_ = 0;  // of the hub, last one seen
  std::int64_t last_id_ = 0;    // of the database, last one sent or skipped
  bool behind_ = true;          // the database may hold more after last_id_
  bool run_was_over_ = false;   // its last event is stored already: end after catching up
  bool ended_ = false;
};

}  // namespace writecanary::api
