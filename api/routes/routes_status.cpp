#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/documents/documents.h"
#include "api/refusal/problem.h"
#include "api/routes/routes.h"

namespace writecanary::api {
namespace {

using nlohmann::json;

// The loop goes round several times a second; watchers should hear soon that it does not.
constexpr std::chrono::seconds kBeatAgeMax{10};

Outcome answer_health(Call& call, const Services& services) {
  const auto beat = services.live.get()->loop_beat;
  const std::chrono::duration<double> age = services.clock.steady() - beat;
  if (age >= kBeatAgeMax) {
    return unavailable("loop-stalled", "The daemon's loop stands still",
                       fmt::format("The loop last went round {:.1f} s ago; {} s are allowed. The service manager's "
                                   "watchdog restarts it; the journal says what it was doing.",
                                   age.count(), kBeatAgeMax.count()));
  }
  respond_json(call, {{"status", "ok"}, {"loop_age_seconds", age.count()}});
  return std::nullopt;
}

Outcome answer_readiness(Call& call, const Services& services) {
  const auto live = services.live.get();
  if (!live->ready) {
    const std::string reason = live->not_ready_reason.empty() ? "still starting" : live->not_ready_reason;
    return unavailable("not-ready", "The daemon is not ready", "Not ready for work: " + reason + ".");
  }
  respond_json(call, {{"status", "ready"}});
  return std::nullopt;
}

Outcome answer_kernels(Call& call, const Services& services) {
  json items = json::array();
  const auto live = services.live.get();
  for (const auto& row : services.reader.kernels()) items.push_back(kernel_document(row, *live));
  respond_json(call, {{"items", std::move(items)}});
  return std::nullopt;
}

}  // namespace

std::vector<Endpoint> status_routes(const RouteContext& context) {
  const Services services = context.services;
  return {
      {"GET",
       "/api/v1/status",
       {.summary = "The daemon, its host, and all verdicts in one look", .response = "Status"},
       [services](Call& call) -> Outcome {
         respond_json(call, status_document(*services.live.get(), services.reader, services.clock));
         return std::nullopt;
       }},
      {"GET",
       "/api/v1/profiles",
       {.summary = "What each profile does, and its options", .response = "ProfileList"},
       [services](Call& call) -> Outcome {
         respond_json(call, {{"items", services.catalogue}});
         return std::nullopt;
       }},
      {"GET",
       "/api/v1/kernels",
       {.summary = "What each kernel release has shown so far", .response = "KernelList"},
       [services](Call& call) { return answer_kernels(call, services); }},
      {"GET",
       "/healthz",
       {.summary = "Whether the daemon's loop goes round", .response = "Health", .refusals = {503}, .is_open = true},
       [services](Call& call) { return answer_health(call, services); }},
      {"GET",
       "/readyz",
       {.summary = "Whether the daemon is ready for work", .response = "Readiness", .refusals = {503}, .is_open = true},
       [services](Call& call) { return answer_readiness(call, services); }},
      {"GET",
       "/metrics",
       {.summary = "Metrics for Prometheus", .media_type = "text/plain; version=0.0.4; charset=utf-8"},
       [services](Call& call) -> Outcome {
         respond_text(call, services.metrics.scrape(), "text/plain; version=0.0.4; charset=utf-8");
         return std::nullopt;
       }},
  };
}

}  // namespace writecanary::api
