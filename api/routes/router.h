// The table of calls, and the way of a request through it: guard, path, method, query names, handler. Everything that
// can go wrong becomes a problem document here; this is the one boundary where a request's exceptions are caught.
//
// The same table is what openapi.h describes, so that the description cannot lack a call.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "api/guard/audit_log.h"
#include "api/guard/rate_limit.h"
#include "api/guard/request_guard.h"
#include "api/http/message.h"
#include "api/loop/commands.h"
#include "api/refusal/limits.h"
#include "api/refusal/refusal.h"

namespace writecanary::api {

// What the description of the API says of a call.
struct Operation {
  std::string summary = {};
  std::string response = {};  // name of a schema (openapi_schemas.h), or empty when it is not JSON
  std::string media_type = "application/json";
  int status = 200;                     // of success
  std::vector<std::string> query = {};  // names of parameters (openapi.h); others are refused
  std::string body = {};                // name of the schema of the request body, or empty
  std::vector<int> refusals = {};       // statuses of its own, beside those that any call may have
  bool is_open = false;                 // needs no token
  bool for_operators = false;           // reading it needs the role that changing needs
  bool is_page = false;                 // part of the web page: not described, any query is accepted
};

struct Call {
  const Request& request;
  Response& response;
  std::vector<std::string> arguments;  // what stands in the places of {...}, in order
  Client client;
  std::string path_prefix;  // before the paths that the client sees; behind a proxy
  Caller caller;
  bool reached_the_loop = false;  // which records it in the audit; see ask()
};

// Nothing: answered. Must not keep references to the call.
using Outcome = std::optional<Refusal>;
using Handler = std::function<Outcome(Call&)>;

struct Endpoint {
  std::string method;   // "GET" (which serves HEAD too) or "POST"
  std::string pattern;  // "/api/v1/runs/{id}"
  Operation operation;
  Handler handler;
};

class Router {
 public:
  // What the services name must outlive this.
  Router(std::vector<Endpoint> routes, RequestGuard guard, CommandPort& commands, const Clock& clock,
         std::function<void(const std::string&)> log_failure);

  // How many requests that change nothing are taken from one address; 0: any number. Any thread.
  void set_reads_per_second(double reads);
  // Any thread; never throws. Sets X-Request-Id and the security headers on every answer.
  void dispatch(const Request& request, Response& response);

 private:
  Outcome route(const Request& request, Response& response);
  Outcome check_reads(const Request& request, const Client& client, Response& response);
  Outcome serve(const Endpoint& route, Call& call);
  Outcome admit(const Endpoint& route, Call& call);
  void end_with_access(const Endpoint& route, Call& call) const;

  const std::vector<Endpoint> routes_;
  const RequestGuard guard_;
  const Clock& clock_;
  RateLimit changes_{kChangesBurst, kChangesPerSecond};
  RateLimit reads_{kReadsPerSecond * kReadsBurstSeconds, kReadsPerSecond};
  RateLimit vital_reads_{kVitalReadsBurst, kVitalReadsPerSecond};
  AuditLog audit_;
  const std::function<void(const std::string&)> log_failure_;
};

// Hands a change to the loop, in the caller's name.
CommandResult ask(Call& call, CommandPort& commands, Command command);

void respond_json(Call& call, const nlohmann::json& document, int status = 200);
void respond_text(Call& call, std::string text, const std::string& content_type);

// A positive row number, or nothing.
std::optional<std::int64_t> parse_id(const std::string& text);

}  // namespace writecanary::api
