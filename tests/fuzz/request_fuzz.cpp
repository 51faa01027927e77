// An HTTP request as bytes: its end is found in the same place however it is cut; whatever it is, it gets one answer
// through the HTTP library as in the daemon, with the query and the body read as the routes do, and none takes long.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "api/http/framing.h"
#include "api/http/http_engine.h"
#include "api/http/request_head.h"
#include "api/refusal/problem.h"
#include "api/routes/query.h"
#include "api/routes/start_request.h"
#include "core/base/error.h"
#include "core/run/verdict.h"

namespace writecanary::api {
namespace {

// Of CPU, so that a busy machine does not matter; the sanitizers take most of it.
constexpr double kSecondsMax = 0.5;

double cpu_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

using State = RequestFraming::State;

// The end of the request does not depend on how it arrives. What it is when all is there.
State frame(std::string_view bytes, std::size_t& size) {
  RequestFraming whole;
  const auto state = whole.look(bytes);
  size = whole.size();
  RequestFraming cut;
  const std::size_t step = std::max<std::size_t>(bytes.size() / 5, 1);
  auto seen = State::kHead;
  std::size_t taken = 0;
  while (taken < bytes.size() && (seen == State::kHead || seen == State::kBody)) {
    taken = std::min(taken + step, bytes.size());
    seen = cut.look(bytes.substr(0, taken));
  }
  // Only nonsense counts as whole where it is noticed, which is when it arrives.
  if (taken == bytes.size()) WC_CHECK(seen == state);
  if (seen == State::kWhole) WC_CHECK(cut.size() <= taken);
  return state;
}

LiveState live_state() {
  LiveState state;
  state.targets.resize(1);
  state.targets[0].name = "data";
  return state;
}

Catalogue catalogue() {
  Catalogue profiles(1);
  profiles[0].name = "append";
  profiles[0].options = {{"size", "Size", "bytes", 1, 100, 10}};
  return profiles;
}

std::optional<Refusal> read_query(const Request& request) {
  Query query(request);
  query.text("target");
  query.flag("acknowledged");
  query.id("run_id");
  query.timestamp_ms("since");
  query.cursor("runs");
  query.one_of("verdict", parse_verdict, kAllVerdicts);
  const int limit = query.limit();
  WC_CHECK(limit >= 1);
  return query.refusal();
}

std::optional<Refusal> read_body(const Request& request) {
  static const LiveState kLive = live_state();
  static const Catalogue kCatalogue = catalogue();
  const auto result = parse_start_request(request, kLive, kCatalogue);
  if (const auto* start = std::get_if<StartRequest>(&result)) {
    WC_CHECK(start->run.target == "data" && start->run.profile == "append");
    WC_CHECK(start->is_list || start->run.more_profiles.empty());
    return std::nullopt;
  }
  const auto& refusal = std::get<Refusal>(result);
  WC_CHECK(refusal.status == 400 || refusal.status == 422);
  return refusal;
}

bool has_control_bytes(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7f; });
}

void answer(const Request& request, Response& response) {
  WC_CHECK(!has_control_bytes(request.method) && !has_control_bytes(request.target));
  for (const auto& [name, value] : request.headers) WC_CHECK(!has_control_bytes(name) && !has_control_bytes(value));
  if (request.refused) WC_CHECK(request.body.empty() && request.params.empty());
  auto refusal = request.refused;
  if (!refusal) refusal = read_query(request);
  if (!refusal) refusal = read_body(request);
  const auto document = refusal ? problem_document(*refusal, request.path, "id") : nlohmann::json("fine");
  response.status = refusal ? refusal->status : 202;
  response.set_body(document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), "application/json");
}

class Text final : public RequestOutput {
 public:
  bool write(std::string_view bytes) override {
    text += bytes;
    return true;
  }
  bool is_wanted() const override { return true; }
  void write_through() override {}
  std::string text;
};

void serve(std::string_view bytes, Connection::Input input) {
  static const SystemClock kClock;
  static int answered = 0;
  static HttpEngine engine(
      kClock, [](const Request& request, Response& response) { answer(request, response); },
      [](const Request&, const Response&) { ++answered; });
  const Peer peer;
  Text output;
  const int before = answered;
  engine.answer({bytes, input, peer, false}, output);
  WC_CHECK(answered == before + 1);
  WC_CHECK(output.text.starts_with("HTTP/1.1 "));
}

}  // namespace
}  // namespace writecanary::api

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using writecanary::api::Connection;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const double before = writecanary::api::cpu_seconds();
  std::size_t request_size = 0;
  const auto state = writecanary::api::frame(bytes, request_size);
  if (state == writecanary::api::State::kWhole) {
    writecanary::api::serve(std::string_view(bytes).substr(0, request_size), Connection::Input::kWhole);
  } else {
    // What is not whole is answered too: when the peer ends, is too slow, or sends too much.
    writecanary::api::serve(bytes, state == writecanary::api::State::kTooLarge ? Connection::Input::kTooLarge
                                                                               : Connection::Input::kTooSlow);
  }
  WC_CHECK(writecanary::api::cpu_seconds() - before < writecanary::api::kSecondsMax);
  return 0;
}
