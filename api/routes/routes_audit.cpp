#include <nlohmann/json.hpp>

#include "api/routes/listing.h"
#include "api/routes/query.h"
#include "api/routes/routes.h"
#include "storage/tables/documents.h"

namespace writecanary::api {
namespace {

Outcome answer_audit(Call& call, const Services& services) {
  Query query(call.request);
  storage::AuditFilter filter;
  filter.before_id = query.cursor("audit");
  filter.limit = query.limit();
  if (auto refusal = query.refusal()) return refusal;
  respond_json(
      call, listing_document(
                "audit", filter, [&](const auto& each) { return services.reader.audit(each); }, storage::audit_json));
  return std::nullopt;
}

}  // namespace

std::vector<Endpoint> audit_routes(const RouteContext& context) {
  const Services services = context.services;
  return {{"GET",
           "/api/v1/audit",
           {.summary = "Who asked for which change, and what became of it, newest first",
            .response = "AuditPage",
            .query = {"limit", "cursor"},
            .for_operators = true},
           [services](Call& call) { return answer_audit(call, services); }}};
}

}  // namespace writecanary::api
