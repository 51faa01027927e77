#include "api/routes/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>

#include "api/refusal/limits.h"
#include "api/refusal/problem.h"
#include "api/refusal/request_id.h"
#include "core/base/json_text.h"

namespace writecanary::api {
namespace {

constexpr char kPolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

// What stands in the audit and the log of a target that may have eight kilobytes.
std::string shortened(const std::string& target) {
  return target.size() <= kAuditPathBytesMax ? target : target.substr(0, kAuditPathBytesMax) + "...";
}

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto slash = path.find('/');
    parts.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return parts;
    path.remove_prefix(slash + 1);
  }
}

// A word that an address has instead of a number, as in /incidents/ack: it is none of the things that have numbers.
bool is_literal(std::string_view pattern) { return pattern.find('{') == std::string_view::npos; }

// The values in the places of {...}, or nothing when the path has another form.
std::optional<std::vector<std::string>> match(std::string_view pattern, std::string_view path) {
  const auto wanted = segments(pattern);
  const auto given = segments(path);
  if (wanted.size() != given.size()) return std::nullopt;
  std::vector<std::string> arguments;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].starts_with('{') && !given[i].empty()) {
      arguments.emplace_back(given[i]);
    } else if (wanted[i] != given[i]) {
      return std::nullopt;
    }
  }
  return arguments;
}

// What watchers ask.
bool is_vital(std::string_view path) { return path == "/metrics" || path == "/healthz" || path == "/readyz"; }

bool serves(const Endpoint& route, const std::string& method) {
  return route.method == method || (route.method == "GET" && method == "HEAD");
}

bool is_for_all(const Endpoint& route) { return route.operation.is_open || route.operation.is_page; }

Role role_for(const Endpoint& route) {
  return route.method != "GET" || route.operation.for_operators ? Role::kOperator : Role::kViewer;
}

Outcome check_query_names(const Operation& operation, const Request& request) {
  if (operation.is_page) return std::nullopt;
  std::vector<FieldError> errors;
  const auto& params = request.params;
  for (auto it = params.begin(); it != params.end(); it = params.upper_bound(it->first)) {
    const auto& known = operation.query;
    if (std::find(known.begin(), known.end(), it->first) == known.end()) {
      errors.push_back({it->first, "is not a parameter of this call; it knows " + quoted_list(known)});
    } else if (params.count(it->first) > 1) {
      errors.push_back({it->first, "is given more than once"});
    }
  }
  if (errors.empty()) return std::nullopt;
  return invalid_query(std::move(errors));
}

// In place of whatever the response held.
void respond_problem(const Refusal& refusal, const std::string& instance, Response& response) {
  response.status = refusal.status;
  const auto document = problem_document(refusal, instance, response.header("X-Request-Id"));
  response.set_body(json_text(document) + "\n", kProblemType);
}

void set_common_headers(const Request& request, Response& response) {
  response.set_header("X-Request-Id", request_id_for(request.header("X-Request-Id")));
  response.set_header("X-Content-Type-Options", "nosniff");
  response.set_header("Referrer-Policy", "no-referrer");
  response.set_header("Content-Security-Policy", kPolicy);
  response.set_header("Cross-Origin-Resource-Policy", "same-origin");
  response.set_header("Cross-Origin-Opener-Policy", "same-origin");
}

}  // namespace

Router::Router(std::vector<Endpoint> routes, RequestGuard guard, CommandPort& commands, const Clock& clock,
               std::function<void(const std::string&)> log_failure)
    : routes_(std::move(routes)),
      guard_(std::move(guard)),
      clock_(clock),
      audit_(commands, clock),
      log_failure_(std::move(log_failure)) {}

void Router::dispatch(const Request& request, Response& response) {
  Outcome refusal;
  set_common_headers(request, response);
  try {
    refusal = request.refused ? request.refused : route(request, response);
  } catch (const std::exception& error) {
    refusal = Refusal{500, "internal", "The request failed inside the daemon", error.what(), {}};
  }
  if (refusal) {
    if (refusal->status == 401) response.set_header("WWW-Authenticate", "Bearer realm=\"writecanary\"");
    respond_problem(*refusal, request.path, response);
    if (refusal->status == 500) {
      log_failure_("request " + response.header("X-Request-Id") + " failed: " + refusal->detail);
    }
  }
  if (!response.has_header("Cache-Control")) response.set_header("Cache-Control", "no-store");
}

void Router::set_reads_per_second(double reads) {
  reads_.set(reads * kReadsBurstSeconds, reads);
  vital_reads_.set(kVitalReadsBurst, reads == 0 ? 0 : kVitalReadsPerSecond);
}

// Also of what leads nowhere: each costs a look at the table.
Outcome Router::check_reads(const Request& request, const Client& client, Response& response) {
  if (request.method == "POST") return std::nullopt;  // has a limit of its own
  RateLimit& limit = is_vital(request.path) ? vital_reads_ : reads_;
  if (limit.allow(client.address, clock_.steady())) return std::nullopt;
  response.set_header("Retry-After", "1");
  return Refusal{429,
                 "too-many-requests",
                 "Too many requests came from there",
                 "The address " + client.address + " asks more often than server.reads_per_second allows.",
                 {}};
}

Outcome Router::route(const Request& request, Response& response) {
  const auto client = guard_.client(request);
  if (auto refusal = check_reads(request, client, response)) return refusal;
  const bool is_named = std::ranges::any_of(
      routes_, [&](const Endpoint& route) { return is_literal(route.pattern) && match(route.pattern, request.path); });
  std::string allowed;
  for (const auto& route : routes_) {
    if (is_named && !is_literal(route.pattern)) continue;
    auto arguments = match(route.pattern, request.path);
    if (!arguments) continue;
    if (!serves(route, request.method)) {
      allowed += (allowed.empty() ? "" : ", ") + (route.method == "GET" ? "GET, HEAD" : route.method);
      continue;
    }
    Call call{request, response, std::move(*arguments), client, guard_.path_prefix(client), {}};
    call.caller = {client.address, client.address, response.header("X-Request-Id"), request.method,
                   shortened(request.target)};
    return serve(route, call);
  }
  if (auto refusal = guard_.check_host(request, client)) return refusal;
  if (allowed.empty()) return refusal_for_status(404);
  response.set_header("Allow", allowed);
  return Refusal{405,
                 "method-not-allowed",
                 "This path does not take that method",
                 request.method + " is not possible here; allowed: " + allowed + ".",
                 {}};
}

Outcome Router::serve(const Endpoint& route, Call& call) {
  auto refusal = admit(route, call);
  if (!refusal) {
    call.response.status = route.operation.status;
    refusal = route.handler(call);
    if (!refusal && call.response.source) end_with_access(route, call);
  }
  if (refusal && route.method != "GET" && !call.reached_the_loop) audit_.refused(call.caller, *refusal);
  return refusal;
}

Outcome Router::admit(const Endpoint& route, Call& call) {
  const auto& request = call.request;
  const bool changes = route.method != "GET";
  if (changes && !changes_.allow(call.client.address, clock_.steady())) {
    call.response.set_header("Retry-After", "1");
    return Refusal{429,
                   "too-many-changes",
                   "Too many changes were asked for",
                   fmt::format("From one address {} at once and {} a second are possible. Ask again in a second.",
                               kChangesBurst, kChangesPerSecond),
                   {}};
  }
  if (auto refusal = guard_.check_host(request, call.client)) return refusal;
  const auto who = guard_.identify(request, call.client, is_for_all(route));
  if (const auto* refusal = std::get_if<Refusal>(&who)) return *refusal;
  call.caller.who = std::get<Identity>(who).who;
  if (auto refusal = guard_.check_role(std::get<Identity>(who), role_for(route))) return refusal;
  if (changes) {
    if (auto refusal = guard_.check_origin(request, call.client)) return refusal;
  }
  return check_query_names(route.operation, request);
}

// A long answer goes on only as long as its client could still ask for it: a token that is taken away ends its streams.
void Router::end_with_access(const Endpoint& route, Call& call) const {
  call.response.source = [this, &route, &request = call.request, client = call.client, rules = guard_.rules(),
                          source = std::move(call.response.source)](BodyWriter& writer) mutable {
    if (guard_.rules() != rules) {
      rules = guard_.rules();
      const auto who = guard_.identify(request, client, is_for_all(route));
      const auto* identity = std::get_if<Identity>(&who);
      if (identity == nullptr || guard_.check_role(*identity, role_for(route))) return BodyStep::kFailed;
    }
    return source(writer);
  };
}

CommandResult ask(Call& call, CommandPort& commands, Command command) {
  call.reached_the_loop = true;
  return commands.execute(call.caller, std::move(command));
}

void respond_json(Call& call, const nlohmann::json& document, int status) {
  call.response.status = status;
  std::string text = json_text(document);
  text += '\n';
  respond_text(call, std::move(text), "application/json");
}

void respond_text(Call& call, std::string text, const std::string& content_type) {
  call.response.set_body(std::move(text), content_type);
}

std::optional<std::int64_t> parse_id(const std::string& text) {
  std::int64_t id = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, id);
  if (error != std::errc{} || stop != end || id <= 0) return std::nullopt;
  return id;
}

}  // namespace writecanary::api
