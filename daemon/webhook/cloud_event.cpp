#include "daemon/webhook/cloud_event.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "core/base/error.h"
#include "core/base/json_text.h"
#include "core/text/base64.h"
#include "core/text/units.h"

namespace writecanary::daemon {
namespace {

constexpr std::string_view kBase64Prefix = "whsec_";

std::string subject_of(const storage::EventRow& event, const nlohmann::json& data) {
  if (event.type.starts_with("incident.")) {
    return fmt::format("targets/{}/incidents/{}", event.target, data.value("incident_id", std::int64_t{0}));
  }
  return event.run_id ? fmt::format("targets/{}/runs/{}", event.target, *event.run_id)
                      : fmt::format("targets/{}", event.target);
}

std::string key_of(std::string_view secret) {
  if (!secret.starts_with(kBase64Prefix)) return std::string(secret);
  const auto key = from_base64(secret.substr(kBase64Prefix.size()), Base64::kPadded);
  if (!key) throw std::invalid_argument("the secret begins with whsec_, but what follows is not base64");
  return *key;
}

}  // namespace

std::string cloud_event_id(const storage::EventRow& event) { return fmt::format("{}-{}", event.id, event.at_ms); }

std::string cloud_event(const storage::EventRow& event, const std::string& host) {
  nlohmann::json data = nlohmann::json::parse(event.data_json);
  nlohmann::json document = {{"specversion", "1.0"},
                             {"id", cloud_event_id(event)},
                             {"source", fmt::format("/hosts/{}/writecanary", host)},
                             {"type", "writecanary." + event.type},
                             {"subject", subject_of(event, data)},
                             {"time", format_timestamp(event.at_ms)},
                             {"datacontenttype", "application/json"},
                             {"sequence", fmt::format("{:020}", event.id)},
                             {"data", std::move(data)}};
  if (event.run_id) document["partitionkey"] = fmt::format("{}", *event.run_id);
  return json_text(document);
}

std::string webhook_signature(std::string_view secret, const std::string& id, std::int64_t unix_seconds,
                              std::string_view body) {
  const std::string key = key_of(secret);
  const std::string text = fmt::format("{}.{}.{}", id, unix_seconds, body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  WC_CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &length) != nullptr);
  return "v1," + to_base64({reinterpret_cast<const char*>(digest.data()), length}, Base64::kPadded);
}

}  // namespace writecanary::daemon
