// What Alertmanager sends to its webhook receivers, as far as it can become a run: firing alerts about this host whose
// labels name a target and a profile of this daemon. Targets are called the same on every host of a fleet, so only what
// says which host it is about tells whose alert it is.
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

// Whether the value of a label, such as "db-7.example:9100", is this host: one of `hosts`, which with a port stands for
// that port alone. A name without a domain is the same in every domain.
bool is_about_host(const std::string& value, const std::vector<std::string>& hosts);

// The alerts of the body, at most kHookAlertsMax; 400 or 422 when it is no such document at all.
std::variant<std::vector<HookedAlert>, Refusal> parse_alerts(const std::string& body, const LiveState& live,
                                                             const Catalogue& catalogue);

}  // namespace writecanary::api
