// The part of the configuration that says who may do what.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/http/listener.h"
#include "daemon/config/config.h"

namespace writecanary::daemon {
namespace {

void check_tls(const Config& config, std::vector<ConfigIssue>& issues) {
  const auto& tls = config.tls;
  const auto complain = [&](const char* key, const std::string& text) {
    issues.push_back({config.position(key), text});
  };
  const std::pair<const char*, const std::string*> files[] = {
      {"server.tls_cert", &tls.certificate}, {"server.tls_key", &tls.key}, {"server.client_ca", &tls.client_ca}};
  for (const auto& [key, path] : files) {
    if (!path->empty() && !path->starts_with('/')) complain(key, fmt::format("{} \"{}\" must be absolute", key, *path));
  }
  if (tls.certificate.empty() != tls.key.empty()) {
    complain(tls.key.empty() ? "server.tls_cert" : "server.tls_key",
             "server.tls_cert and server.tls_key belong together: give both or neither");
  }
  if (!tls.client_ca.empty() && tls.certificate.empty()) {
    complain("server.client_ca", "server.client_ca needs TLS: give server.tls_cert and server.tls_key too");
  }
  if (!tls.certificate.empty() && config.listen.starts_with("unix:")) {
    complain("server.tls_cert", "server.tls_cert: a unix socket is not encrypted; listen on an address, or remove it");
  }
}

// A name as a browser sends it, without a port.
bool is_host_name(const std::string& text) {
  if (text == "*") return true;
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  return !text.empty() && (std::ranges::all_of(text, allowed) || api::parse_network(text).has_value());
}

void check_names(const Config& config, std::vector<ConfigIssue>& issues) {
  const auto complain = [&](const char* key, const std::string& text) {
    issues.push_back({config.position(key), text});
  };
  for (const auto& host : config.allowed_hosts) {
    if (is_host_name(host)) continue;
    complain("server.allowed_hosts",
             fmt::format("server.allowed_hosts: \"{}\" is no name in lower case without a port, and no address", host));
  }
  if (!config.public_url.empty() && !api::parse_public_url(config.public_url)) {
    complain("server.public_url",
             fmt::format("server.public_url \"{}\": expected https://HOST[:PORT][/PATH] or http://...",
                         shown_address(config.public_url)));
  }
  for (const auto& proxy : config.trusted_proxies) {
    if (proxy == "unix" || api::parse_network(proxy)) continue;
    complain(
        "server.trusted_proxies",
        fmt::format("server.trusted_proxies: \"{}\" is no address, no network (10.0.0.0/8) and not \"unix\"", proxy));
  }
}

}  // namespace

void check_access(const Config& config, std::vector<ConfigIssue>& issues) {
  check_tls(config, issues);
  check_names(config, issues);
  std::set<std::string> names;
  for (std::size_t i = 0; i < config.tokens.size(); ++i) {
    const auto& token = config.tokens[i];
    const auto prefix = fmt::format("token[{}].", i);
    const auto require = [&](bool holds, const char* key, const std::string& text) {
      if (!holds) issues.push_back({config.position(prefix + key), text});
    };
    require(is_name(token.name), "name",
            fmt::format("token name \"{}\": use 1 to 64 letters, digits, '-', '_' and '.'", token.name));
    require(names.insert(token.name).second, "name",
            fmt::format("token name \"{}\" is used twice. Give each token its own", token.name));
    require(api::parse_role(token.role).has_value(), "role",
            fmt::format("token \"{}\": role \"{}\" is neither \"viewer\" nor \"operator\"", token.name, token.role));
    require(
        api::parse_sha256(token.sha256).has_value(), "sha256",
        fmt::format("token \"{}\": sha256 must be 64 hexadecimal digits, as printed by: printf %s TOKEN | sha256sum",
                    token.name));
  }
}

api::AccessRules access_rules(const Config& config) {
  api::AccessRules rules{.tls = config.tls,
                         .anonymous_read = config.anonymous_read,
                         .allowed_hosts = config.allowed_hosts,
                         .public_url = api::parse_public_url(config.public_url),
                         .reads_per_second = static_cast<double>(config.reads_per_second)};
  for (const auto& proxy : config.trusted_proxies) {
    if (proxy == "unix") rules.trusted_proxies.at_unix_socket = true;
    if (const auto network = api::parse_network(proxy)) rules.trusted_proxies.networks.push_back(*network);
  }
  for (const auto& token : config.tokens) {
    rules.tokens.push_back({token.name, *api::parse_role(token.role), *api::parse_sha256(token.sha256)});
  }
  return rules;
}

}  // namespace writecanary::daemon
