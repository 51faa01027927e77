#include <nlohmann/json.hpp>

#include "api/documents/incident_document.h"
#include "api/refusal/limits.h"
#include "api/refusal/problem.h"
#include "api/routes/body.h"
#include "api/routes/listing.h"
#include "api/routes/query.h"
#include "api/routes/routes.h"
#include "core/text/units.h"
#include "storage/tables/documents.h"

namespace writecanary::api {
namespace {

constexpr std::size_t kUntilBytesMax = 64;

Refusal unknown_incident(const std::string& id) {
  return not_found("unknown-incident", "There is no incident \"" + id + "\". Incident ids are numbers.");
}

Refusal resolved_incident(std::int64_t id) {
  return {409,
          "incident-resolved",
          "The incident is resolved",
          "Incident " + std::to_string(id) + " is over, so there is nothing to acknowledge. The next finding opens it.",
          {}};
}

std::optional<storage::IncidentRow> find_incident(const Call& call, const Services& services) {
  const auto id = parse_id(call.arguments[0]);
  return id ? services.reader.incident(*id) : std::nullopt;
}

Outcome answer_incidents(Call& call, const Services& services) {
  Query query(call.request);
  storage::IncidentFilter filter;
  filter.states = query.some_of("state", parse_incident_state, kAllIncidentStates);
  filter.kind = query.one_of("kind", parse_finding_kind, kAllFindingKinds);
  filter.finding_class = query.one_of("class", parse_finding_class, kAllFindingClasses);
  filter.target = query.text("target");
  filter.profile = query.text("profile");
  filter.release = query.text("release");
  filter.before_id = query.cursor("incidents");
  filter.limit = query.limit();
  if (auto refusal = query.refusal()) return refusal;
  respond_json(call, listing_document(
                         "incidents", filter, [&](const auto& each) { return services.reader.incidents(each); },
                         [&](const auto& row) { return incident_item(row, services.reader); }));
  return std::nullopt;
}

Outcome answer_incident(Call& call, const Services& services) {
  const auto row = find_incident(call, services);
  if (!row) return unknown_incident(call.arguments[0]);
  respond_json(call, incident_document(*row, services.reader, *services.live.get()));
  return std::nullopt;
}

// "kernel", "rate", or when.
void read_until(Body& body, const Clock& clock, AckIncidents& command) {
  const auto text = body.text("until", kUntilBytesMax);
  if (!text) return;
  if (*text == "kernel" || *text == "rate") {
    command.until = *parse_known_until(*text);
    return;
  }
  constexpr std::size_t kDateLength = 10;  // 2026-12-24
  command.until = KnownUntil::kDate;
  command.until_ms = parse_timestamp_ms(text->size() == kDateLength ? *text + "T00:00:00Z" : *text);
  if (!command.until_ms) {
    body.fail("until", "expected \"kernel\", \"rate\", a date (2026-12-24) or RFC 3339, got \"" + *text + "\"");
  } else if (*command.until_ms <= to_unix_ms(clock.now())) {
    body.fail("until", "\"" + *text + "\" is over already");
  }
}

Outcome acknowledge_incident(Call& call, const Services& services) {
  const auto row = find_incident(call, services);
  if (!row) return unknown_incident(call.arguments[0]);
  Body body(call.request.body);
  AckIncidents command;
  command.which.ids = {row->id};
  command.note = body.required_text("note", kNoteBytesMax);
  read_until(body, services.clock, command);
  if (auto refusal = body.refusal()) return refusal;
  const auto result = ask(call, services.commands, std::move(command));
  if (const auto* refusal = std::get_if<Refusal>(&result)) return *refusal;
  if (std::get<Accepted>(result).ids.empty()) return resolved_incident(row->id);
  return answer_incident(call, services);
}

// A name of the filter that is given, or nothing.
template <typename Value, typename Parse>
std::optional<Value> read_name(Body& body, const std::map<std::string, std::string>& texts, const std::string& name,
                               const Parse& parse) {
  const auto found = texts.find(name);
  if (found == texts.end()) return std::nullopt;
  std::optional<Value> value = parse(found->second);
  if (!value) body.fail("filter." + name, "\"" + found->second + "\" is not possible");
  return value;
}

void read_which(Body& body, storage::IncidentFilter& which) {
  which.limit = kIncidentsAckedMax;
  which.ids = body.ids("ids", kIncidentsAckedMax);
  const auto filter = body.texts("filter", {"kind", "class", "target", "profile", "release"});
  const auto as_it_is = [](const std::string& text) { return std::optional(text); };
  which.kind = read_name<FindingKind>(body, filter, "kind", parse_finding_kind);
  which.finding_class = read_name<FindingClass>(body, filter, "class", parse_finding_class);
  which.target = read_name<std::string>(body, filter, "target", as_it_is);
  which.profile = read_name<std::string>(body, filter, "profile", as_it_is);
  which.release = read_name<std::string>(body, filter, "release", as_it_is);
  if (which.ids.empty() == filter.empty()) body.fail("ids", "give either ids or a filter with at least one name");
  // Whoever names an incident may say something else of it; a filter is for what is open.
  which.states = {IncidentState::kOpen};
  if (!which.ids.empty()) which.states.push_back(IncidentState::kKnown);
}

Outcome acknowledge_some(Call& call, const Services& services) {
  Body body(call.request.body);
  AckIncidents command;
  read_which(body, command.which);
  command.note = body.required_text("note", kNoteBytesMax);
  read_until(body, services.clock, command);
  for (const auto id : command.which.ids) {
    if (!services.reader.incident(id)) body.fail("ids", "there is no incident " + std::to_string(id));
  }
  if (auto refusal = body.refusal()) return refusal;
  const auto result = ask(call, services.commands, std::move(command));
  if (const auto* refusal = std::get_if<Refusal>(&result)) return *refusal;
  nlohmann::json items = nlohmann::json::array();
  for (const auto id : std::get<Accepted>(result).ids) {
    if (const auto row = services.reader.incident(id)) items.push_back(storage::incident_json(*row));
  }
  respond_json(call, {{"items", std::move(items)}});
  return std::nullopt;
}

}  // namespace

std::vector<Endpoint> incident_routes(const RouteContext& context) {
  const Services services = context.services;
  return {
      {"GET",
       "/api/v1/incidents",
       {.summary = "Incidents, newest first",
        .response = "IncidentPage",
        .query = {"state", "kind", "class", "target", "profile", "release", "limit", "cursor"}},
       [services](Call& call) { return answer_incidents(call, services); }},
      {"GET",
       "/api/v1/incidents/{id}",
       {.summary = "One incident with its days and the findings that are kept",
        .response = "Incident",
        .refusals = {404}},
       [services](Call& call) { return answer_incident(call, services); }},
      {"POST",
       "/api/v1/incidents/{id}/ack",
       {.summary = "Say that an incident is known",
        .response = "Incident",
        .body = "AckIncidentRequest",
        .refusals = {404, 409, 422, 503}},
       [services](Call& call) { return acknowledge_incident(call, services); }},
      {"POST",
       "/api/v1/incidents/ack",
       {.summary = "Say that several incidents are known",
        .response = "IncidentList",
        .body = "AckIncidentsRequest",
        .refusals = {422, 503}},
       [services](Call& call) { return acknowledge_some(call, services); }},
  };
}

}  // namespace writecanary::api
