#include "api/routes/alertmanager_hook.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
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

// "db-7:9100" and "[::1]:9100" in host and port; the port is empty where there is none.
std::pair<std::string, std::string> split_port(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const bool bare_ipv6 = text.find(':') != colon && !text.starts_with('[');
  std::string host = colon == std::string::npos || bare_ipv6 || text.ends_with(']') ? text : text.substr(0, colon);
  const std::string port = host.size() == text.size() ? "" : text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  std::ranges::transform(host, host.begin(), [](unsigned char c) { return std::tolower(c); });
  return {host, port};
}

bool is_address(const std::string& host) {
  return host.find_first_not_of("0123456789.") == std::string::npos || host.find(':') != std::string::npos;
}

bool is_same_host(const std::string& a, const std::string& b) {
  if (a == b) return true;
  if (is_address(a) || is_address(b)) return false;
  const std::size_t a_dot = a.find('.');
  const std::size_t b_dot = b.find('.');
  // Of two names with a domain both have to be the same.
  if ((a_dot == std::string::npos) == (b_dot == std::string::npos)) return false;
  return a.substr(0, a_dot) == b.substr(0, b_dot);
}

std::string reason_against(const HookedAlert& alert, const json& document, const json& labels, const LiveState& live,
                           const Catalogue& catalogue) {
  if (text_of(document, "status") != "firing") return "it does not fire";
  if (!live.alert_label.empty()) {
    const std::string about = text_of(labels, live.alert_label.c_str());
    if (about.empty())
      return fmt::format("it does not say which host it is about: it has no label \"{}\"", live.alert_label);
    if (!is_about_host(about, live.alert_hosts)) {
      return fmt::format("it is about another host: its label \"{}\" is \"{}\", and this is {}", live.alert_label,
                         about, quoted_list(live.alert_hosts));
    }
  }
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
  if (auto reason = reason_against(alert, document, labels, live, catalogue); !reason.empty()) {
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

bool is_about_host(const std::string& value, const std::vector<std::string>& hosts) {
  const auto [host, port] = split_port(value);
  return std::ranges::any_of(hosts, [&, host = host, port = port](const std::string& name) {
    const auto [known, known_port] = split_port(name);
    return is_same_host(host, known) && (known_port.empty() || known_port == port);
  });
}

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
