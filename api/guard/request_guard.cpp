#include "api/guard/request_guard.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <string_view>

namespace writecanary::api {
namespace {

constexpr std::string_view kBearer = "bearer ";

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// "[::1]:9743" -> "::1"
std::string host_without_port(const std::string& host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

// "application/json; charset=utf-8" -> "application/json"
std::string media_type(const std::string& content_type) {
  std::string type = lower(content_type.substr(0, content_type.find(';')));
  while (type.ends_with(' ')) type.pop_back();
  return type;
}

Refusal foreign_origin(const std::string& origin) {
  return {403,
          "foreign-origin",
          "Another site may not change anything here",
          "The request comes from the origin \"" + origin +
              "\". Changes are accepted from this server's own page and "
              "from programs that send no Origin.",
          {}};
}

}  // namespace

std::optional<Refusal> RequestGuard::check_host(const Request& request) const {
  if (is_unix_) return std::nullopt;  // a browser cannot connect to one
  if (!request.has_header("Host")) {
    if (request.version != "HTTP/1.1") return std::nullopt;
    return Refusal{400, "missing-host", "The Host header is missing", "HTTP/1.1 requests name the host.", {}};
  }
  if (!is_local_) return std::nullopt;  // any name may lead here
  const std::string host = lower(host_without_port(request.header("Host")));
  if (host == "localhost" || host == "127.0.0.1" || host == "::1" || host == lower(listen_host_)) return std::nullopt;
  return Refusal{421,
                 "misdirected",
                 "This server does not answer for that host",
                 "Host \"" + request.header("Host") +
                     "\": this is a loopback listener. Use localhost, "
                     "127.0.0.1, [::1] or " +
                     listen_host_ + ".",
                 {}};
}

std::variant<Identity, Refusal> RequestGuard::identify(const Request& request, const Peer& peer, bool open) const {
  const auto access = access_.get();
  const std::string& unproven = peer.certificate.empty() ? peer.address : peer.certificate;
  if (!access->has_tokens()) return Identity{unproven, is_local_ ? Role::kOperator : Role::kViewer};
  if (request.has_header("Authorization")) {
    const std::string given = request.header("Authorization");
    const auto* token = lower(given).starts_with(kBearer) ? access->find(given.substr(kBearer.size())) : nullptr;
    if (token != nullptr) return Identity{token->name, token->role};
    return Refusal{401,
                   "unknown-token",
                   "The token is not known",
                   "The Authorization header holds no token of this server's. Its [[token]] tables name those that are "
                   "known, by their SHA-256.",
                   {}};
  }
  if (peer.uid && (*peer.uid == 0 || *peer.uid == ::geteuid())) return Identity{unproven, Role::kOperator};
  if (open) return Identity{unproven, Role::kViewer};
  return Refusal{401,
                 "token-needed",
                 "A token is needed",
                 "Send \"Authorization: Bearer TOKEN\" with a token that this server knows.",
                 {}};
}

std::optional<Refusal> RequestGuard::check_role(const Identity& identity, Role needed) const {
  if (identity.role >= needed) return std::nullopt;
  if (!access_.get()->has_tokens()) {
    return Refusal{403,
                   "read-only",
                   "This listener is read-only",
                   "It can be reached from other hosts and no tokens are configured. Configure a token with the role "
                   "operator, or send changes to a loopback or unix listener.",
                   {}};
  }
  return Refusal{403,
                 "role-too-low",
                 "The token may not do this",
                 "\"" + identity.who + "\" is a " + std::string(to_string(identity.role)) +
                     "; this call needs the role " + std::string(to_string(needed)) + ".",
                 {}};
}

std::optional<Refusal> RequestGuard::check_origin(const Request& request) const {
  if (request.has_header("Origin")) {
    const std::string origin = request.header("Origin");
    const std::string own = request.encrypted ? "https://" : "http://";
    if (lower(origin) != own + lower(request.header("Host"))) return foreign_origin(origin);
  }
  if (request.header("Sec-Fetch-Site") == "cross-site") return foreign_origin("(another site)");
  // A form of another site can send neither this content type nor, without one, a body.
  const std::string type = request.header("Content-Type");
  if ((type.empty() && request.body.empty()) || media_type(type) == "application/json") return std::nullopt;
  return Refusal{415,
                 "unsupported-media-type",
                 "The body must be JSON",
                 "Content-Type \"" + type + "\": send application/json.",
                 {}};
}

}  // namespace writecanary::api
