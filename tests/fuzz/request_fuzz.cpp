// An HTTP request as bytes: its end is found in the same place however it is cut, and its query and body, whatever they
// are, become a command or a refusal.
#include <httplib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "api/http/framing.h"
#include "api/refusal/problem.h"
#include "api/routes/query.h"
#include "api/routes/start_request.h"
#include "core/base/error.h"
#include "core/run/verdict.h"

namespace writecanary::api {
namespace {

// The end of the request does not depend on how it arrives.
void frame(std::string_view bytes) {
  RequestFraming whole;
  const auto state = whole.look(bytes);
  RequestFraming cut;
  const std::size_t step = std::max<std::size_t>(bytes.size() / 5, 1);
  auto seen = RequestFraming::State::kHead;
  std::size_t taken = 0;
  while (taken < bytes.size() && (seen == RequestFraming::State::kHead || seen == RequestFraming::State::kBody)) {
    taken = std::min(taken + step, bytes.size());
    seen = cut.look(bytes.substr(0, taken));
  }
  // Only nonsense counts as whole where it is noticed, which is when it arrives.
  if (taken == bytes.size()) WC_CHECK(seen == state);
  if (seen == RequestFraming::State::kWhole) WC_CHECK(cut.size() <= taken);
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

void read_query(const std::string& text) {
  httplib::Request request;
  httplib::detail::parse_query_text(text, request.params);
  Query query(request);
  query.text("target");
  query.flag("acknowledged");
  query.id("run_id");
  query.timestamp_ms("since");
  query.cursor("runs");
  query.one_of("verdict", parse_verdict, kAllVerdicts);
  const int limit = query.limit();
  WC_CHECK(limit >= 1);
  if (const auto refusal = query.refusal()) problem_document(*refusal, "/", "id");
}

void read_body(const std::string& text) {
  static const LiveState kLive = live_state();
  static const Catalogue kCatalogue = catalogue();
  httplib::Request request;
  request.body = text;
  const auto result = parse_start_request(request, kLive, kCatalogue);
  if (const auto* start = std::get_if<StartRun>(&result)) {
    WC_CHECK(start->target == "data" && start->profile == "append");
  } else {
    const auto& refusal = std::get<Refusal>(result);
    WC_CHECK(refusal.status == 400 || refusal.status == 422);
    problem_document(refusal, "/", "id").dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
}

}  // namespace
}  // namespace writecanary::api

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  writecanary::api::frame(bytes);
  writecanary::api::read_query(bytes);
  writecanary::api::read_body(bytes);
  return 0;
}
