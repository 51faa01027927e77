#include "api/routes/alertmanager_hook.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/refusal/limits.h"
#include "api/refusal/problem.h"

namespace writecanary::api {
namespace {

using nlohmann::json;

// Empty when it is not there, no text, or longer than a name can be.
std::string text_of(const json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return {};
  const auto& text = found->get_ref<const std::string&>();
  return text.size() <= kNameBytesMax ? text : std::string();
}

std::string reason_against(const HookedAlert& alert, const json& document, const LiveState& live,
                           const Catalogue& catalogue) {
  if (text_of(document, "status") != "firing") return "it does not fire";
  if (alert.target.empty() || alert.profile.empty()) return "its labels do not name a target and a profile";
  if (std::ranges::find(live.targets, alert.target, &LiveTarget::name) == live.targets.end()) {
    return fmt::format("no target \"{}\" is configured", alert.target);
  }
  if (find_profile(catalogue, alert.profile) == nullptr) {
    return fmt::format("there is no profile \"{}\"", alert.profile);
  }
  return {};
}

// An alert is the same alert whichever Alertmanager of several sends it.
constexpr char kKeyScope[] = "alertmanager";

HookedAlert alert_of(const json& document, const LiveState& live, const Catalogue& catalogue) {
  // Looked at in place: copying a value that is nested a thousand times deep would take the stack with it.
  static const json kNone;
  const auto found = document.is_object() ? document.find("labels") : document.end();
  const json& labels = document.is_object() && found != document.end() ? *found : kNone;
  HookedAlert alert{text_of(labels, "alertname"),
                    text_of(document, "fingerprint"),
                    text_of(labels, "target"),
                    text_of(labels, "profile"),
                    {}};
  if (auto reason = reason_against(alert, document, live, catalogue); !reason.empty()) {
    alert.outcome = std::move(reason);
    return alert;
  }
  StartRun start;
  start.target = alert.target;
  start.profile = alert.profile;
  start.queue = true;
  if (!alert.fingerprint.empty()) {
    start.key_scope = kKeyScope;
    start.idempotency_key = fmt::format("{}:{}:{}", alert.fingerprint, text_of(document, "startsAt"), alert.profile);
  }
  alert.outcome = std::move(start);
  return alert;
}

}  // namespace

std::variant<std::vector<HookedAlert>, Refusal> parse_alerts(const std::string& body, const LiveState& live,
                                                             const Catalogue& catalogue) {
  const json document = json::parse(body, nullptr, false);
  if (document.is_discarded())
    return Refusal{400, "malformed-json", "The body is not JSON", "It cannot be parsed.", {}};
  const auto found = document.is_object() ? document.find("alerts") : document.end();
  if (!document.is_object() || found == document.end() || !found->is_array()) {
    return invalid_body({{"alerts", "expected an array, as Alertmanager's webhook_configs send it"}});
  }
  if (found->size() > kHookAlertsMax) {
    return invalid_body({{"alerts", fmt::format("{} alerts, but at most {} are taken at once. Set max_alerts in the "
                                                "webhook_config",
                                                found->size(), kHookAlertsMax)}});
  }
  std::vector<HookedAlert> alerts;
  for (const json& each : *found) alerts.push_back(alert_of(each, live, catalogue));
  return alerts;
}

}  // namespace writecanary::api
