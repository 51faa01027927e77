#include "api/http/http_engine.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "api/http/request_head.h"
#include "api/refusal/limits.h"
#include "api/refusal/problem.h"

namespace writecanary::api {
namespace {

// What the Keep-Alive header says; the reception is a little more patient than that.
constexpr std::chrono::seconds kAnnouncedKeepAlive{25};
// A reader of a stream that takes nothing for so long is gone.
constexpr std::chrono::milliseconds kStreamPatience{10'000};
// Others are not routed: nobody is told that a method exists which has no call.
constexpr std::array<std::string_view, 7> kMethods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

bool may_have_body(std::string_view method) { return method != "GET" && method != "HEAD" && method != "OPTIONS"; }

// What must be known before the body is looked at. Nothing: take it.
std::optional<Refusal> refuse(const RequestHead& head) {
  const auto body = body_framing(head);
  if (body.error != 0) return refusal_for_status(body.error);
  if (std::ranges::find(kMethods, head.method) == kMethods.end()) return refusal_for_status(400);
  const auto query = head.target.find('?');
  if (query != std::string_view::npos) {
    const auto parameters = head.target.substr(query);
    if (std::ranges::count(parameters, '&') >= static_cast<std::ptrdiff_t>(kQueryParametersMax)) {
      return too_many_parameters();
    }
  }
  if (!may_have_body(head.method) && (body.length > 0 || body.chunked)) {
    return Refusal{
        400, "unexpected-body", "This method takes no body", std::string(head.method) + " takes no body.", {}};
  }
  if (const auto encoding = head.field("Content-Encoding")) {
    return Refusal{415,
                   "unsupported-encoding",
                   "The body must not be compressed",
                   "Content-Encoding \"" + std::string(*encoding) + "\" is not supported here.",
                   {}};
  }
  return std::nullopt;
}

// Why a request could not be received; 0: it was.
int status_of(const HttpEngine::Received& received, const std::optional<std::size_t>& head_bytes) {
  switch (received.input) {
    case Connection::Input::kWhole:
      return head_bytes ? 0 : 400;
    case Connection::Input::kTooSlow:
      return 408;
    case Connection::Input::kTooLarge:
      if (head_bytes) return 413;
      return received.bytes.substr(0, kRequestLineBytes).find('\n') == std::string_view::npos ? 414 : 431;
    default:
      return 400;
  }
}

// The library would take brotli from whoever offers it, as every browser does, and at its slowest: 50 times the time of
// gzip for a list of targets. Who gives gzip a weight of zero gets none.
bool accepts_gzip(const RequestHead& head) {
  bool accepted = false;
  for_each_element(head.field("Accept-Encoding").value_or(""), [&](std::string_view element) {
    const auto name = element.substr(0, element.find_first_of("; \t"));
    const auto weight = element.find("q=0");
    const bool refused = weight != std::string_view::npos &&
                         element.substr(weight + 3).find_first_not_of(".0") == std::string_view::npos;
    if (equal_without_case(name, "gzip")) accepted = !refused;
  });
  return accepted;
}

// Who speaks 1.0 may not know chunks; an answer then may end with its connection, so all do.
bool wants_to_close(const RequestHead& head) {
  bool close = head.version == "HTTP/1.0";
  for_each_element(head.field("Connection").value_or(""),
                   [&](std::string_view element) { close = close || equal_without_case(element, "close"); });
  return close;
}

void take_over(const RequestHead& head, Request& request) {
  request.method = head.method;
  request.target = head.target;
  request.version = head.version;
  request.wants_gzip = accepts_gzip(head);
  for (const auto& [name, value] : head.fields) request.headers.emplace(name, value);
}

// Takes the body, or says why not.
void take_body(const RequestHead& head, std::string_view bytes, Request& request) {
  if (body_framing(head).chunked) {
    auto text = join_chunks(bytes);
    if (!text) request.refused = refusal_for_status(400);
    request.body = std::move(text).value_or("");
  } else {
    request.body = bytes;
  }
}

// A second question mark belongs to the value; one of the library's versions takes it for nonsense.
std::string one_question_mark(std::string_view target) {
  std::string text(target);
  const auto first = text.find('?');
  if (first == std::string::npos) return text;
  for (auto at = text.find('?', first + 1); at != std::string::npos; at = text.find('?', at))
    text.replace(at, 1, "%3F");
  return text;
}

class ConnectionOutput final : public RequestOutput {
 public:
  explicit ConnectionOutput(Connection& connection) : connection_(connection) {}
  bool write(std::string_view bytes) override {
    if (through_) return connection_.write_through(bytes, kStreamPatience);
    connection_.append_output(bytes);
    return true;
  }
  bool is_wanted() const override { return !through_ || !connection_.peer_is_gone(); }
  void write_through() override { through_ = true; }

 private:
  Connection& connection_;
  bool through_ = false;
};

}  // namespace

HttpEngine::HttpEngine(const Clock& clock, Dispatch dispatch, Log log)
    : clock_(clock), dispatch_(std::move(dispatch)), log_(std::move(log)), library_(kAnnouncedKeepAlive) {}

After HttpEngine::serve(Connection& connection) {
  ConnectionOutput output(connection);
  return answer({connection.request(), connection.input(), connection.peer(), connection.encrypted()}, output);
}

After HttpEngine::answer(const Received& received, RequestOutput& output) {
  Request request;
  request.started = clock_.steady();
  request.peer = &received.peer;
  request.encrypted = received.encrypted;
  const auto head_bytes = head_size(received.bytes);
  const int failure = status_of(received, head_bytes);
  const auto head = head_bytes ? parse_head(received.bytes.substr(0, *head_bytes)) : RequestHead{.error = 400};
  HttpLibrary::Form form{.target = one_question_mark(head.target), .head = head.method == "HEAD"};
  if (head.error == 0) take_over(head, request);
  if (failure != 0) {
    request.refused = refusal_for_status(failure);
  } else if (form.target.size() > kTargetBytes) {
    request.refused = refusal_for_status(414);
  } else {
    request.refused = refuse(head);
  }
  if (!request.refused) take_body(head, received.bytes.substr(*head_bytes), request);
  // Nothing after a request that was given up can be trusted to be the start of another one.
  const bool abandoned = request.refused.has_value();
  if (abandoned) form.target = "/";
  form.gzip = request.wants_gzip;
  form.chunks = request.version != "HTTP/1.0";
  form.close = abandoned || wants_to_close(head) || library_.is_closed();
  Response response;
  const bool sent = library_.answer(
      form,
      [&](std::string path, Params params) -> Response& {
        request.path = abandoned ? std::string(request.target.substr(0, request.target.find('?'))) : std::move(path);
        request.params = std::move(params);
        dispatch_(request, response);
        if (response.source) output.write_through();
        return response;
      },
      output);
  log_(request, response);
  if (abandoned) return After::kDrainAndClose;
  return !sent || form.close || library_.is_closed() ? After::kClose : After::kNextRequest;
}

}  // namespace writecanary::api
