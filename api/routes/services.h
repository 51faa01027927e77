// What the routes work with: where they read, where they ask for changes, what is published to them.
#pragma once

#include "api/events/event_hub.h"
#include "api/loop/commands.h"
#include "api/loop/live_state.h"
#include "api/metrics/metrics.h"
#include "core/base/clock.h"
#include "core/run/profile_info.h"
#include "storage/reader/reader.h"

namespace writecanary::api {

// What the routes work with. All must outlive the server.
struct Services {
  const storage::Reader& reader;
  CommandPort& commands;
  const LiveBoard& live;
  const EventHub& events;
  const Metrics& metrics;
  const Catalogue& catalogue;
  const Clock& clock;
};

}  // namespace writecanary::api
