#include "api/events/event_feed.h"
#include "api/refusal/problem.h"
#include "api/routes/routes.h"

namespace writecanary::api {
namespace {

// How long one look at the hub takes: also how soon a client that is gone gives its thread back.
constexpr std::chrono::seconds kSlice{1};
// Proxies cut connections that are silent for 30 to 60 s.
constexpr int kSilentSlicesMax = 15;
// What a browser waits before it connects again, in milliseconds.
constexpr char kPreamble[] = "retry: 2000\n\n";
constexpr char kKeepAlive[] = ": still here\n\n";
// Exactly so, without a charset: cpp-httplib would compress, and so hold back, anything else.
constexpr char kStreamType[] = "text/event-stream";

// An open stream: what it sends and the slot that it holds.
struct Stream {
  EventFeed feed;
  std::shared_ptr<void> slot;
  bool greeted = false;
  int silent_slices = 0;
};

// One step of a stream.
BodyStep send_some(Stream& stream, BodyWriter& writer) {
  const auto after = [](bool written) { return written ? BodyStep::kMore : BodyStep::kFailed; };
  try {
    if (stream.feed.ended()) return BodyStep::kDone;
    if (!stream.greeted) {
      stream.greeted = true;  // at once, so that the client knows that it is connected
      return after(writer.write(kPreamble));
    }
    // Not left to the next write: to a silent stream that is the one after two keep-alives, half a minute from now.
    if (!writer.is_wanted()) return BodyStep::kFailed;
    std::string text = stream.feed.next(kSlice);
    if (!text.empty()) {
      stream.silent_slices = 0;
    } else if (++stream.silent_slices >= kSilentSlicesMax) {
      stream.silent_slices = 0;
      text = kKeepAlive;
    }
    return after(text.empty() || writer.write(text));
  } catch (const std::exception&) {
    return BodyStep::kFailed;  // the client connects again with Last-Event-ID and then sees the problem document
  }
}

Outcome open_stream(Call& call, const RouteContext& context, std::optional<std::int64_t> run_id) {
  std::optional<std::int64_t> after_id;
  if (call.request.has_header("Last-Event-ID")) {
    const std::string text = call.request.header("Last-Event-ID");
    after_id = text == "0" ? std::optional<std::int64_t>(0) : parse_id(text);
    if (!after_id) {
      return Refusal{400,
                     "invalid-event-id",
                     "Last-Event-ID cannot be used",
                     "Last-Event-ID \"" + text + "\": expected the id of an earlier event.",
                     {}};
    }
  }
  auto slot = context.streams->take();
  if (!slot) return too_many_streams();
  const Services& services = context.services;
  const auto stream =
      std::make_shared<Stream>(Stream{EventFeed(services.reader, services.events, after_id, run_id), std::move(slot)});
  call.response.set_header("X-Accel-Buffering", "no");  // nginx
  call.response.set_source([stream](BodyWriter& writer) { return send_some(*stream, writer); }, std::nullopt,
                           kStreamType);
  return std::nullopt;
}

Outcome open_run_stream(Call& call, const RouteContext& context) {
  const auto id = parse_id(call.arguments[0]);
  if (!id || !context.services.reader.run(*id)) {
    return not_found("unknown-run", "There is no run \"" + call.arguments[0] + "\".");
  }
  return open_stream(call, context, id);
}

}  // namespace

std::vector<Endpoint> event_routes(const RouteContext& context) {
  return {
      {"GET",
       "/api/v1/events",
       {.summary = "All events as they happen", .media_type = kStreamType, .refusals = {400, 503}},
       [context](Call& call) { return open_stream(call, context, std::nullopt); }},
      {"GET",
       "/api/v1/runs/{id}/events",
       {.summary = "The events of one run, up to its end", .media_type = kStreamType, .refusals = {400, 404, 503}},
       [context](Call& call) { return open_run_stream(call, context); }},
  };
}

}  // namespace writecanary::api
