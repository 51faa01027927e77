#include "api/request_guard.h"

#include <algorithm>
#include <cctype>

namespace writecanary::api {
namespace {

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

std::optional<Refusal> RequestGuard::allow(const httplib::Request& request) const {
  if (is_unix_) return std::nullopt;  // a browser cannot connect to one
  if (!request.has_header("Host")) {
    if (request.version != "HTTP/1.1") return std::nullopt;
    return Refusal{400, "missing-host", "The Host header is missing", "HTTP/1.1 requests name the host.", {}};
  }
  if (!is_local_) return std::nullopt;  // any name may lead here
  const std::string host = lower(host_without_port(request.get_header_value("Host")));
  if (host == "localhost" || host == "127.0.0.1" || host == "::1" || host == lower(listen_host_)) return std::nullopt;
  return Refusal{421,
                 "misdirected",
                 "This server does not answer for that host",
                 "Host \"" + request.get_header_value("Host") +
                     "\": this is a loopback listener. Use localhost, "
                     "127.0.0.1, [::1] or " +
                     listen_host_ + ".",
                 {}};
}

std::optional<Refusal> RequestGuard::allow_change(const httplib::Request& request) const {
  if (!is_local_) {
    return Refusal{403,
                   "read-only",
                   "This listener is read-only",
                   "It can be reached from other hosts and no tokens are configured. Send changes to a loopback or "
                   "unix listener.",
                   {}};
  }
  if (request.has_header("Origin")) {
    const std::string origin = request.get_header_value("Origin");
    if (lower(origin) != "http://" + lower(request.get_header_value("Host"))) return foreign_origin(origin);
  }
  if (request.get_header_value("Sec-Fetch-Site") == "cross-site") return foreign_origin("(another site)");
  // A form of another site can send neither this content type nor, without one, a body.
  const std::string type = request.get_header_value("Content-Type");
  if ((type.empty() && request.body.empty()) || media_type(type) == "application/json") return std::nullopt;
  return Refusal{415,
                 "unsupported-media-type",
                 "The body must be JSON",
                 "Content-Type \"" + type + "\": send application/json.",
                 {}};
}

}  // namespace writecanary::api
