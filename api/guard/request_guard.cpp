#include "api/guard/request_guard.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace writecanary::api {
namespace {

constexpr std::string_view kBearer = "bearer ";
constexpr std::array<std::string_view, 3> kLoopbackNames = {"localhost", "127.0.0.1", "::1"};

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? lower_case(name.data()) : "";
}

// "application/json; charset=utf-8" -> "application/json"
std::string media_type(const std::string& content_type) {
  std::string type = lower_case(content_type.substr(0, content_type.find(';')));
  while (type.ends_with(' ')) type.pop_back();
  return type;
}

Refusal foreign_origin(const std::string& origin) {
  return {403,
          "foreign-origin",
          "Another site may not change anything here",
          "The request comes from the origin \"" + origin +
              "\". Changes are accepted from this server's own page (behind a proxy: server.public_url) and from "
              "programs that send no Origin.",
          {}};
}

}  // namespace

RequestGuard::RequestGuard(std::string_view listen_host, bool is_unix, bool is_local, const AccessBoard& access)
    : listen_host_(lower_case(listen_host)),
      own_name_(host_name()),
      is_unix_(is_unix),
      is_local_(is_local),
      access_(access) {}

std::string RequestGuard::path_prefix(const Client& client) const {
  const auto access = access_.get();
  return client.is_forwarded && access->public_url() ? access->public_url()->path : "";
}

// A name of somebody else's can be made to lead here (DNS rebinding), and a page below it then is no other site to a
// browser. An address cannot.
bool RequestGuard::answers_for(const Access& access, const std::string& name) const {
  if (std::ranges::find(kLoopbackNames, name) != kLoopbackNames.end() || name == listen_host_) return true;
  if (access.allows_host(name)) return true;
  if (is_local_) return false;
  return parse_network(name).has_value() || name == own_name_ || name == own_name_.substr(0, own_name_.find('.'));
}

std::optional<Refusal> RequestGuard::check_host(const Request& request, const Client& client) const {
  if (is_unix_ && !client.is_forwarded) return std::nullopt;  // a browser cannot connect to one
  if (client.host.empty()) {
    if (request.version != "HTTP/1.1") return std::nullopt;
    return Refusal{400, "missing-host", "The Host header is missing", "HTTP/1.1 requests name the host.", {}};
  }
  if (answers_for(*access_.get(), host_without_port(client.host))) return std::nullopt;
  return Refusal{421,
                 "misdirected",
                 "This server does not answer for that host",
                 "Host \"" + client.host + "\": use localhost" +
                     (is_local_ ? "" : ", this host's name or its address") +
                     ", or name it in server.allowed_hosts or server.public_url.",
                 {}};
}

std::variant<Identity, Refusal> RequestGuard::identify(const Request& request, const Client& client, bool open) const {
  const auto access = access_.get();
  const Peer& peer = *request.peer;
  const bool has_certificate = !peer.certificate.empty() && !client.is_forwarded;
  const std::string& unproven = has_certificate ? peer.certificate : client.address;
  if (access->has_tokens() && request.has_header("Authorization")) {
    const std::string given = request.header("Authorization");
    const auto* token = lower_case(given).starts_with(kBearer) ? access->find(given.substr(kBearer.size())) : nullptr;
    if (token != nullptr) return Identity{token->name, token->role};
    return Refusal{401,
                   "unknown-token",
                   "The token is not known",
                   "The Authorization header holds no token of this server's. Its [[token]] tables name those that are "
                   "known, by their SHA-256.",
                   {}};
  }
  const bool came_itself = is_local_ && !client.is_forwarded;
  if (came_itself && !access->has_tokens()) return Identity{unproven, Role::kOperator};
  if (came_itself && peer.uid && (*peer.uid == 0 || *peer.uid == ::geteuid()))
    return Identity{unproven, Role::kOperator};
  if (open || access->anonymous_read() || (has_certificate && !access->has_tokens())) {
    return Identity{unproven, Role::kViewer};
  }
  if (access->has_tokens()) {
    return Refusal{401,
                   "token-needed",
                   "A token is needed",
                   "Send \"Authorization: Bearer TOKEN\" with a token that this server knows.",
                   {}};
  }
  return Refusal{403,
                 "not-for-others",
                 "Nobody from elsewhere may read this",
                 "The request came from another host or through a proxy, and no tokens are configured. Configure a "
                 "[[token]], or server.anonymous_read = true if everyone may read.",
                 {}};
}

std::optional<Refusal> RequestGuard::check_role(const Identity& identity, Role needed) const {
  if (identity.role >= needed) return std::nullopt;
  if (!access_.get()->has_tokens()) {
    return Refusal{403,
                   "read-only",
                   "This listener is read-only",
                   "The request came from another host or through a proxy, and no tokens are configured. Configure a "
                   "token with the role operator, or send it to a loopback or unix listener.",
                   {}};
  }
  return Refusal{403,
                 "role-too-low",
                 "The token may not do this",
                 "\"" + identity.who + "\" is a " + std::string(to_string(identity.role)) +
                     "; this call needs the role " + std::string(to_string(needed)) + ".",
                 {}};
}

std::optional<Refusal> RequestGuard::check_origin(const Request& request, const Client& client) const {
  if (request.has_header("Origin")) {
    const std::string origin = lower_case(request.header("Origin"));
    const auto access = access_.get();
    const bool is_public = access->public_url() && origin == access->public_url()->origin;
    if (!is_public && origin != client.scheme + "://" + client.host) return foreign_origin(request.header("Origin"));
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
