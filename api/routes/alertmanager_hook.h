// What Alertmanager sends to its webhook receivers, as far as it can become a run: firing alerts whose labels name a
// target and a profile of this daemon.
//
// Lenient where the API else is strict: the document is somebody else's, grows with their releases, and a refusal of
// the whole would only make Alertmanager drop alerts that could have been acted upon. So each alert gets its own
// answer.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "api/loop/commands.h"
#include "api/loop/live_state.h"
#include "core/run/profile_info.h"

namespace writecanary::api {

struct HookedAlert {
  std::string name;
  std::string fingerprint;
  std::string target;
  std::string profile;
  // Why it becomes no run, or the run to start. The same alert, sent again while it fires, has the same idempotency
  // key.
  std::variant<std::string, StartRun> outcome;
};

// The alerts of the body, at most kHookAlertsMax; 400 or 422 when it is no such document at all.
std::variant<std::vector<HookedAlert>, Refusal> parse_alerts(const std::string& body, const LiveState& live,
                                                             const Catalogue& catalogue);

}  // namespace writecanary::api
