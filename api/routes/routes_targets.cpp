#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/documents/documents.h"
#include "api/refusal/limits.h"
#include "api/refusal/problem.h"
#include "api/routes/body.h"
#include "api/routes/routes.h"

namespace writecanary::api {
namespace {

using nlohmann::json;

Refusal unknown_target(const std::string& name, const LiveState& live) {
  std::vector<std::string> names;
  for (const auto& target : live.targets) names.push_back(target.name);
  return not_found("unknown-target", "No target \"" + name + "\" is configured; there is " + quoted_list(names) + ".");
}

Outcome answer_targets(Call& call, const Services& services) {
  const auto live = services.live.get();
  const auto totals = services.reader.totals();
  json items = json::array();
  for (const auto& target : live->targets) items.push_back(target_document(target, totals));
  respond_json(call, {{"items", std::move(items)}});
  return std::nullopt;
}

Outcome answer_target(Call& call, const Services& services) {
  const auto live = services.live.get();
  const std::string& name = call.arguments[0];
  const auto found = std::find_if(live->targets.begin(), live->targets.end(),
                                  [&](const LiveTarget& target) { return target.name == name; });
  if (found == live->targets.end()) return unknown_target(name, *live);
  respond_json(call, target_document(*found, services.reader.totals()));
  return std::nullopt;
}

Outcome set_paused(Call& call, const Services& services, bool paused) {
  const auto live = services.live.get();
  const std::string& name = call.arguments[0];
  const bool known = std::any_of(live->targets.begin(), live->targets.end(),
                                 [&](const LiveTarget& target) { return target.name == name; });
  if (!known) return unknown_target(name, *live);
  Body body(call.request.body);
  SetPaused command{.target = name, .paused = paused, .note = {}};
  if (paused) command.note = body.text("note", kNoteBytesMax).value_or("");
  if (auto refusal = body.refusal()) return refusal;
  const auto result = ask(call, services.commands, std::move(command));
  if (const auto* refusal = std::get_if<Refusal>(&result)) return *refusal;
  return answer_target(call, services);
}

}  // namespace

std::vector<Endpoint> target_routes(const RouteContext& context) {
  const Services services = context.services;
  return {
      {"GET",
       "/api/v1/targets",
       {.summary = "All configured targets", .response = "TargetList"},
       [services](Call& call) { return answer_targets(call, services); }},
      {"GET",
       "/api/v1/targets/{name}",
       {.summary = "One target", .response = "Target", .refusals = {404}},
       [services](Call& call) { return answer_target(call, services); }},
      {"POST",
       "/api/v1/targets/{name}/pause",
       {.summary = "Start no more scheduled runs on a target",
        .response = "Target",
        .body = "PauseRequest",
        .refusals = {404, 409, 503}},
       [services](Call& call) { return set_paused(call, services, true); }},
      {"POST",
       "/api/v1/targets/{name}/resume",
       {.summary = "Start scheduled runs on a target again",
        .response = "Target",
        .body = "EmptyRequest",
        .refusals = {404, 409, 503}},
       [services](Call& call) { return set_paused(call, services, false); }},
  };
}

}  // namespace writecanary::api
