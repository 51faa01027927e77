#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/routes/alertmanager_hook.h"
#include "api/routes/routes.h"

namespace writecanary::api {
namespace {

using nlohmann::json;

// A refusal that passes by itself is the answer to all of it: Alertmanager then sends the alerts again.
constexpr int kTryAgain = 503;

Outcome answer_alerts(Call& call, const Services& services) {
  const auto parsed = parse_alerts(call.request.body, *services.live.get(), services.catalogue);
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) return *refusal;
  const std::string sender = call.caller.who;
  json items = json::array();
  for (const HookedAlert& alert : std::get<std::vector<HookedAlert>>(parsed)) {
    json item = {{"alertname", alert.name},
                 {"fingerprint", alert.fingerprint},
                 {"target", alert.target},
                 {"profile", alert.profile},
                 {"run_id", nullptr},
                 {"replayed", false},
                 {"reason", ""}};
    if (const auto* start = std::get_if<StartRun>(&alert.outcome)) {
      call.caller.who = fmt::format("{} (alert {})", sender, alert.name);
      const auto result = ask(call, services.commands, *start);
      if (const auto* refusal = std::get_if<Refusal>(&result)) {
        if (refusal->status == kTryAgain) return *refusal;
        item["reason"] = refusal->detail;
      } else {
        item["run_id"] = std::get<Accepted>(result).id;
        item["replayed"] = std::get<Accepted>(result).replayed;
      }
    } else {
      item["reason"] = std::get<std::string>(alert.outcome);
    }
    items.push_back(std::move(item));
  }
  respond_json(call, {{"items", std::move(items)}}, 202);
  return std::nullopt;
}

}  // namespace

std::vector<Endpoint> hook_routes(const RouteContext& context) {
  const Services services = context.services;
  return {{"POST",
           "/api/v1/hooks/alertmanager",
           {.summary = "Start a run for each firing alert about this host whose labels name a target and a profile",
            .response = "HookAnswer",
            .status = 202,
            .body = "AlertmanagerRequest",
            .refusals = {400, 422, 503}},
           [services](Call& call) { return answer_alerts(call, services); }}};
}

}  // namespace writecanary::api
