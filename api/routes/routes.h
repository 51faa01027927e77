// The calls, by subject. Each function gives the routes of one file routes_<subject>.cpp.
#pragma once

#include <string>
#include <vector>

#include "api/events/stream_slots.h"
#include "api/routes/router.h"
#include "api/routes/services.h"

namespace writecanary::api {

struct RouteContext {
  Services services;          // outlive the routes
  std::string evidence_root;  // evidence of run N is in <root>/N
  StreamSlots* streams;       // outlives the routes
};

std::vector<Endpoint> status_routes(const RouteContext& context);  // status, profiles, kernels, health, metrics
std::vector<Endpoint> target_routes(const RouteContext& context);
std::vector<Endpoint> run_routes(const RouteContext& context);
std::vector<Endpoint> finding_routes(const RouteContext& context);
std::vector<Endpoint> incident_routes(const RouteContext& context);
std::vector<Endpoint> history_routes(const RouteContext& context);  // activity and history
std::vector<Endpoint> event_routes(const RouteContext& context);
std::vector<Endpoint> hook_routes(const RouteContext& context);
std::vector<Endpoint> audit_routes(const RouteContext& context);
std::vector<Endpoint> problem_routes();
std::vector<Endpoint> page_routes();

// All of them, and the description of all of them.
std::vector<Endpoint> all_routes(const RouteContext& context);

}  // namespace writecanary::api
