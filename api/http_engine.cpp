#include "api/http_engine.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

#include "api/problem.h"
#include "core/limits.h"

namespace writecanary::api {
namespace {

constexpr std::chrono::seconds kKeepAliveTime{5};
constexpr std::size_t kRequestsPerConnection = 1000;
// Every request is routed by the dispatch function; the library sees this one path.
constexpr char kOnlyPath[] = "/";

// One request is parsed, routed, answered and logged by one thread in one call of process_request, whose handlers get
// nothing but the request: this is how they know the rest.
thread_local Exchange* current_exchange = nullptr;
thread_local SocketStream* current_stream = nullptr;

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
  request.headers.erase("Range");  // documents are small and change: always whole
  request.ranges.clear();
}

}  // namespace

HttpEngine::HttpEngine(const Clock& clock, Dispatch dispatch, Log log) : clock_(clock), dispatch_(std::move(dispatch)) {
  const auto handler = [this](const httplib::Request& request, httplib::Response& response) {
    dispatch_(*current_exchange, request, response);
    if (current_stream->input_abandoned()) response.set_header("Connection", "close");
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
  set_keep_alive_timeout(kKeepAliveTime.count());
  set_keep_alive_max_count(kRequestsPerConnection);
  svr_sock_ = 0;  // the library takes INVALID_SOCKET for "shutting down", and looks at nothing else of it
}

// The library gave up on a request: nothing after it can be trusted to be the start of another one.
void HttpEngine::answer_unreadable(const httplib::Request& request, httplib::Response& response) {
  current_stream->abandon_input();
  current_exchange->refused = refusal_for_status(current_stream->over_size() ? 413 : response.status);
  dispatch_(*current_exchange, request, response);
  response.set_header("Connection", "close");
}

void HttpEngine::serve(SocketStream& stream, const std::function<bool()>& may_keep) {
  current_stream = &stream;
  for (std::size_t served = 0; served < kRequestsPerConnection; ++served) {
    if (!stream.wait_for_request(kKeepAliveTime)) break;
    Exchange exchange{clock_.steady(), {}, {}};
    current_exchange = &exchange;
    // Said in the answer: a client that is not told may send its next request into a closed connection.
    const bool last = served + 1 == kRequestsPerConnection || !may_keep();
    bool peer_closes = false;
    const bool sent = process_request(stream, last, peer_closes, admit);
    current_exchange = nullptr;
    if (!sent || last || peer_closes || stream.input_abandoned() || svr_sock_ == INVALID_SOCKET) break;
  }
  current_stream = nullptr;
}

}  // namespace writecanary::api
