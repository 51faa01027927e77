#include "cli/gate/prometheus.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/client/client.h"
#include "cli/terminal/text.h"
#include "core/base/json_text.h"

namespace writecanary::cli {
namespace {

using nlohmann::json;

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

Prometheus::Prometheus(const std::string& url, const std::string& token_file) : url_(url) {
  server_.token = read_token(token_file);
  const std::size_t scheme_end = url.find("://");
  const std::size_t path = scheme_end == std::string::npos ? scheme_end : url.find('/', scheme_end + 3);
  server_.origin = url.substr(0, path);
  if (path != std::string::npos) path_ = url.substr(path);
  while (path_.ends_with('/')) path_.pop_back();
  const bool known_scheme = server_.origin.starts_with("http://") || server_.origin.starts_with("https://");
  if (!known_scheme || url.find_first_of("?#@ ") != std::string::npos || !is_usable(server_)) {
    throw UsageError(fmt::format("--prometheus: \"{}\" cannot be used. Give http://HOST:PORT or https://HOST:PORT/PATH",
                                 printable(url)));
  }
}

std::vector<Sample> Prometheus::query(const std::string& expression) const {
  HttpAnswer result;
  try {
    result = http_post(server_, path_ + "/api/v1/query", "query=" + encode_uri(expression),
                       "application/x-www-form-urlencoded", kAnswerTimeout);
  } catch (const NoAnswer& failure) {
    throw CommandError(kExitFailed, fmt::format("cannot reach Prometheus at {}: {}", url_, failure.what()));
  }
  const json answer = json::parse(result.body, nullptr, false);
  if (!answer.is_object()) throw_odd_answer(url_, fmt::format("{}: {}", result.status, result.body));
  if (result.status != 200) {
    const std::string why = printable(answer.value("error", result.body));
    throw CommandError(result.status == 400 ? kExitUsage : kExitFailed,
                       fmt::format("Prometheus refuses the query ({}): {}", result.status, why));
  }
  try {
    std::vector<Sample> samples;
    for (const json& item : answer.at("data").at("result")) samples.push_back(sample_of(item));
    return samples;
  } catch (const std::exception&) {
    throw_odd_answer(url_, result.body);
  }
}

std::string promql_string(const std::string& text) {
  // The escapes of JSON are a part of those of PromQL, which are Go's.
  return json_text(text);
}

}  // namespace writecanary::cli
