#include "cli/gate/prometheus.h"

#include <fmt/format.h>
#include <httplib.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/client/client.h"
#include "cli/terminal/text.h"

namespace writecanary::cli {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds kConnectTimeout{5};
// Prometheus gives up after two minutes itself.
constexpr std::chrono::seconds kAnswerTimeout{130};

[[noreturn]] void throw_odd_answer(const std::string& url, const std::string& body) {
  throw CommandError(kExitFailed, fmt::format("{} did not answer as Prometheus does: {}. Is this its URL?", url,
                                              shorten(printable(body), 120)));
}

// {"metric": {"kind": "torn"}, "value": [1780000000.123, "40"]}
Sample sample_of(const json& item) {
  Sample sample;
  sample.labels = item.at("metric").get<std::map<std::string, std::string>>();
  const auto text = item.at("value").at(1).get<std::string>();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), sample.value);
  if (error != std::errc{} || !std::isfinite(sample.value)) throw std::invalid_argument("a value is no number");
  return sample;
}

}  // namespace

Prometheus::Prometheus(const std::string& url, const std::string& token_file)
    : url_(url), token_(read_token(token_file)) {
  const std::size_t scheme_end = url.find("://");
  const std::size_t path = scheme_end == std::string::npos ? scheme_end : url.find('/', scheme_end + 3);
  origin_ = url.substr(0, path);
  if (path != std::string::npos) path_ = url.substr(path);
  while (path_.ends_with('/')) path_.pop_back();
  const bool known_scheme = origin_.starts_with("http://") || origin_.starts_with("https://");
  if (!known_scheme || url.find_first_of("?#@ ") != std::string::npos || !httplib::Client(origin_).is_valid()) {
    throw UsageError(fmt::format("--prometheus: \"{}\" cannot be used. Give http://HOST:PORT or https://HOST:PORT/PATH",
                                 printable(url)));
  }
}

std::vector<Sample> Prometheus::query(const std::string& expression) const {
  httplib::Client client(origin_);
  client.set_connection_timeout(kConnectTimeout);
  client.set_read_timeout(kAnswerTimeout);
  httplib::Headers headers;
  if (!token_.empty()) headers.emplace("Authorization", "Bearer " + token_);
  const auto result = client.Post(path_ + "/api/v1/query", headers, httplib::Params{{"query", expression}});
  if (!result) {
    throw CommandError(kExitFailed, fmt::format("cannot reach Prometheus at {}: {}", url_, describe(result.error())));
  }
  const json answer = json::parse(result->body, nullptr, false);
  if (!answer.is_object()) throw_odd_answer(url_, fmt::format("{}: {}", result->status, result->body));
  if (result->status != 200) {
    const std::string why = printable(answer.value("error", result->body));
    throw CommandError(result->status == 400 ? kExitUsage : kExitFailed,
                       fmt::format("Prometheus refuses the query ({}): {}", result->status, why));
  }
  try {
    std::vector<Sample> samples;
    for (const json& item : answer.at("data").at("result")) samples.push_back(sample_of(item));
    return samples;
  } catch (const std::exception&) {
    throw_odd_answer(url_, result->body);
  }
}

std::string promql_string(const std::string& text) {
  // The escapes of JSON are a part of those of PromQL, which are Go's.
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace writecanary::cli
