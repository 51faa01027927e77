// The body of POST /runs, checked field by field against what is configured and what the profile can do.
#pragma once

#include <variant>

#include "api/http/message.h"
#include "api/loop/commands.h"
#include "api/loop/live_state.h"
#include "api/routes/body.h"
#include "core/run/profile_info.h"

namespace writecanary::api {

struct StartRequest {
  StartRun run;
  bool is_list = false;  // several profiles could be asked for, and the answer is a list of runs
};

// 422 names every field that cannot be used and what could be.
std::variant<StartRequest, Refusal> parse_start_request(const Request& request, const LiveState& live,
                                                        const Catalogue& catalogue);

}  // namespace writecanary::api
