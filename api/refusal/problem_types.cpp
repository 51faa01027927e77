#include "api/refusal/problem_types.h"

#include <algorithm>

namespace writecanary::api {
namespace {

constexpr ProblemType kTypes[] = {
    {"bad-request", "400", "The request cannot be read",
     "The request line, a header or the body is malformed, or the body ended too early. It is the client's to mend."},
    {"budget-spent", "409", "The daily byte budget is spent",
     "The target's max_bytes_per_day is used up. It begins again at 00:00 UTC; raise it if that is too little."},
    {"foreign-origin", "403", "Another site may not change anything here",
     "A change came from a web page of another site. Programs send no Origin; behind a proxy the page's origin is that "
     "of server.public_url."},
    {"headers-too-large", "431", "The request's headers are too large",
     "Request line and headers may have 32 KiB together, in at most 100 headers."},
    {"idempotency-key-reused", "422", "The Idempotency-Key belongs to another request",
     "Within a day the same caller sent another body with this key. Send the same body, or a new key."},
    {"incident-resolved", "409", "The incident is resolved",
     "It is over, so there is nothing to acknowledge. The next finding opens it again."},
    {"internal", "500", "The request failed inside the daemon",
     "Something that the request is not to blame for, such as a database that cannot be read. The log has it with the "
     "request's id."},
    {"invalid-event-id", "400", "Last-Event-ID cannot be used",
     "It is the id of an event of this daemon's, as a stream gave it. Leave the header out to begin with now."},
    {"invalid-idempotency-key", "400", "The Idempotency-Key cannot be used",
     "Up to 255 printable characters without blanks are possible."},
    {"invalid-query", "400", "A query parameter cannot be used", "errors names each parameter and what is allowed."},
    {"invalid-request", "422", "A field of the request cannot be used",
     "errors names each field of the body and what is allowed."},
    {"loop-stalled", "503", "The daemon's loop stands still",
     "It has not gone round for 10 s. The service manager's watchdog restarts it; the log says what it was doing."},
    {"malformed-json", "400", "The body is not JSON", "The body cannot be parsed as JSON."},
    {"method-not-allowed", "405", "This path does not take that method", "The header Allow names those that it takes."},
    {"misdirected", "421", "This server does not answer for that host",
     "The Host header names none of the names that this daemon answers to. server.allowed_hosts names others."},
    {"missing-host", "400", "The Host header is missing", "An HTTP/1.1 request names the host."},
    {"no-reproducer", "422", "There is no reproducer for this finding",
     "A program in C is made for some profiles only, and of mixed-model for findings that list their operations; "
     "detail "
     "says which."},
    {"not-for-others", "403", "Nobody from elsewhere may read this",
     "The request came from another host or through a proxy, and no tokens are configured. Configure a token, or "
     "server.anonymous_read if everyone may read."},
    {"not-found", "404", "Not found", "There is nothing at this path. /api/v1/openapi.json lists every call."},
    {"not-ready", "503", "The daemon is not ready",
     "It is starting, ending, or cannot use its database; detail says which."},
    {"payload-too-large", "413", "The request is too large", "A body may have 64 KiB."},
    {"queue-full", "409", "The target's queue is full",
     "16 runs wait on the target. Wait for one to end, or stop some."},
    {"read-only", "403", "This listener is read-only",
     "The request came from another host or through a proxy, and no token is configured. Configure a token with the "
     "role operator."},
    {"role-too-low", "403", "The token may not do this", "The call needs the role operator."},
    {"run-not-active", "409", "The run is not active", "It neither waits nor runs, so there is nothing to stop."},
    {"run-removed", "409", "The run is removed already",
     "The run that an earlier request with this Idempotency-Key started was removed to save space. Send a new key."},
    {"target-busy", "409", "The target is busy",
     "A run is going on or waits there, or on another target on the same filesystem. Stop it, or set \"queue\": true."},
    {"target-not-mounted", "409", "The target is not mounted",
     "detail says what is there instead. Mount the filesystem."},
    {"target-paused", "409", "The target is paused", "Resume it first."},
    {"target-stuck", "409", "The target is stuck",
     "A probe hangs in the kernel there, and cannot be killed. Nothing runs before it is gone; see its finding."},
    {"token-needed", "401", "A token is needed", "Send \"Authorization: Bearer TOKEN\" with a token of this daemon's."},
    {"too-many-changes", "429", "Too many changes were asked for", "Retry-After says when to ask again."},
    {"too-many-parameters", "400", "The query has too many parameters",
     "At most 64 are possible; no call has that many."},
    {"too-many-requests", "429", "Too many requests came from there",
     "Retry-After says when to ask again; server.reads_per_second says how many are taken. /metrics, /healthz and "
     "/readyz have an allowance of their own, and the event streams tell of every change."},
    {"too-many-streams", "503", "Too many streams are open",
     "32 event streams and downloads can be open at once. Close one, or poll."},
    {"too-slow", "408", "The request did not come in time",
     "A request must be complete within 10 s of its first byte."},
    {"unavailable", "503", "The daemon cannot take this now", "Its loop is busy or ending. Ask again in a moment."},
    {"unexpected-body", "400", "This method takes no body", "Send the request without one."},
    {"unknown-finding", "404", "No such finding", "Findings go with their runs, which are removed in time."},
    {"unknown-incident", "404", "No such incident",
     "Incident ids are numbers; those that are resolved are removed after five years."},
    {"unknown-profile", "422", "No such profile", "/api/v1/profiles lists them."},
    {"unknown-run", "404", "No such run", "Run ids are numbers; old runs are removed in time."},
    {"unknown-target", "404, 422", "No such target", "/api/v1/targets lists those that are configured."},
    {"unknown-token", "401", "The token is not known", "No [[token]] table of the configuration has its SHA-256."},
    {"unsupported-encoding", "415", "The body must not be compressed", "Send it as it is."},
    {"unsupported-media-type", "415", "The body must be JSON", "Send it with Content-Type: application/json."},
    {"uri-too-long", "414", "The request line is too long", "It may have 8 KiB."},
};
static_assert(std::ranges::is_sorted(kTypes, {}, &ProblemType::name));

}  // namespace

std::span<const ProblemType> problem_types() { return kTypes; }

const ProblemType* find_problem_type(std::string_view name) {
  const auto* found = std::ranges::lower_bound(kTypes, name, {}, &ProblemType::name);
  return found != std::end(kTypes) && found->name == name ? found : nullptr;
}

}  // namespace writecanary::api
