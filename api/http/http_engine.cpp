#include "api/http/http_engine.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "api/http/connection_stream.h"
#include "api/refusal/problem.h"
#include "core/base/limits.h"

namespace writecanary::api {
namespace {

// What the Keep-Alive header says; the reception is a little more patient than that.
constexpr std::chrono::seconds kAnnouncedKeepAlive{25};
// Every request is routed by the dispatch function; the library sees this one path.
constexpr char kOnlyPath[] = "/";

// One request is parsed, routed, answered and logged by one thread in one call of process_request, whose handlers get
// nothing but the request: this is how they know the rest.
thread_local Exchange* current_exchange = nullptr;
thread_local ConnectionStream* current_stream = nullptr;

bool may_have_body(const std::string& method) {
  return method == "POST" || method == "PUT" || method == "PATCH" || method == "DELETE";
}

// What must be known before the body is read. Nothing: read it.
std::optional<Refusal> refuse_body(const httplib::Request& request) {
  const auto lengths = request.get_header_value_count("Content-Length");
  const bool chunked = request.has_header("Transfer-Encoding");
  const std::string length_text = request.get_header_value("Content-Length");
  std::uint64_t length = 0;
  const auto* end = length_text.data() + length_text.size();
  const auto [stop, error] = std::from_chars(length_text.data(), end, length);
  const bool malformed = lengths > 1 || (lengths == 1 && (error != std::errc{} || stop != end)) ||
                         (chunked && (lengths > 0 || request.get_header_value("Transfer-Encoding") != "chunked"));
  if (malformed) return refusal_for_status(400);
  if (length > kRequestBodyBytes) return refusal_for_status(413);
  if (!may_have_body(request.method) && (length > 0 || chunked)) {
    return Refusal{400, "unexpected-body", "This method takes no body", request.method + " takes no body.", {}};
  }
  if (request.has_header("Content-Encoding")) {
    return Refusal{415,
                   "unsupported-encoding",
                   "The body must not be compressed",
                   "Content-Encoding \"" + request.get_header_value("Content-Encoding") + "\" is not supported here.",
                   {}};
  }
  return std::nullopt;
}

// Leaves "gzip" or nothing. The library would take brotli from whoever offers it, as every browser does, and at its
// slowest: 50 times the time of gzip for a list of targets. Who refuses gzip with a weight of zero gets it as little as
// who never heard of it.
void settle_encoding(httplib::Request& request) {
  const std::string accepted = request.get_header_value("Accept-Encoding");
  const auto found = accepted.find("gzip");
  request.headers.erase("Accept-Encoding");
  if (found != std::string::npos && accepted.compare(found, 8, "gzip;q=0") != 0) {
    request.set_header("Accept-Encoding", "gzip");
  }
}

// Between the headers and the body.
void admit(httplib::Request& request) {
  current_exchange->path = std::exchange(request.path, kOnlyPath);
  current_exchange->refused = refuse_body(request);
  const bool refused = current_exchange->refused.has_value();
  if (refused) current_stream->abandon_input();
  if (refused || !request.has_header("Transfer-Encoding")) {
    const std::string length = refused ? "0" : request.get_header_value("Content-Length");
    for (const char* name : {"Content-Length", "Transfer-Encoding", "Content-Encoding"}) request.headers.erase(name);
    // Without a length the library would read until the peer closes.
    request.set_header("Content-Length", length.empty() ? "0" : length);
  }
  settle_encoding(request);
  request.headers.erase("Expect");  // the reception has answered that
  request.headers.erase("Range");   // documents are small and change: always whole
  request.ranges.clear();
}

// Why the library could not read a request to its end; otherwise what it made of it.
int status_of(const Connection& connection, int status_of_library) {
  if (connection.input() == Connection::Input::kTooSlow) return 408;
  if (connection.input() != Connection::Input::kTooLarge) return status_of_library;
  return connection.request().find("\r\n\r\n") == std::string_view::npos && status_of_library != 414 ? 431 : 413;
}

}  // namespace

HttpEngine::HttpEngine(const Clock& clock, Dispatch dispatch, Log log) : clock_(clock), dispatch_(std::move(dispatch)) {
  const auto handler = [this](const httplib::Request& request, httplib::Response& response) {
    dispatch_(*current_exchange, request, response);
    if (current_stream->input_abandoned()) response.set_header("Connection", "close");
    if (response.content_provider_) current_stream->write_through();
  };
  Get(kOnlyPath, handler);
  Post(kOnlyPath, handler);
  Put(kOnlyPath, handler);
  Patch(kOnlyPath, handler);
  Delete(kOnlyPath, handler);
  Options(kOnlyPath, handler);
  set_error_handler(HandlerWithResponse([this](const httplib::Request& request, httplib::Response& response) {
    if (response.body.empty()) answer_unreadable(request, response);
    return HandlerResponse::Handled;
  }));
  set_logger([log = std::move(log)](const httplib::Request& request, const httplib::Response& response) {
    log(*current_exchange, request, response);
  });
  set_keep_alive_timeout(kAnnouncedKeepAlive.count());
  svr_sock_ = 0;  // the library takes INVALID_SOCKET for "shutting down", and looks at nothing else of it
}

// The library gave up on a request: nothing after it can be trusted to be the start of another one.
void HttpEngine::answer_unreadable(const httplib::Request& request, httplib::Response& response) {
  current_stream->abandon_input();
  current_exchange->refused = refusal_for_status(status_of(current_stream->connection(), response.status));
  dispatch_(*current_exchange, request, response);
  response.set_header("Connection", "close");
}

After HttpEngine::serve(Connection& connection) {
  ConnectionStream stream(connection);
  Exchange exchange{clock_.steady(), {}, {}, &connection.peer(), connection.encrypted()};
  current_stream = &stream;
  current_exchange = &exchange;
  bool peer_closes = false;
  const bool answered = process_request(stream, false, peer_closes, admit);
  current_exchange = nullptr;
  current_stream = nullptr;
  if (stream.input_abandoned() || !stream.is_used_up()) return After::kDrainAndClose;
  return !answered || peer_closes || svr_sock_ == INVALID_SOCKET ? After::kClose : After::kNextRequest;
}

}  // namespace writecanary::api
