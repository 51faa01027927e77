// Who a request comes from, and what for, when a proxy stands between: the X-Forwarded-* headers, which anybody can
// send, count only from a proxy that server.trusted_proxies names.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http/message.h"

namespace writecanary::api {

// An address or the addresses that begin as it does; version 4 as version 6 writes it.
struct Network {
  std::array<unsigned char, 16> bytes{};
  unsigned prefix_bits = 128;
};
// "192.0.2.7", "10.0.0.0/8", "::1", "fd00::/8"; nothing for anything else.
std::optional<Network> parse_network(std::string_view text);

// Whom the headers of a proxy are taken from.
struct TrustedProxies {
  std::vector<Network> networks;
  bool at_unix_socket = false;  // whoever may connect to it

  bool contains(const std::string& address) const;
  bool contains(const Peer& peer) const { return peer.uid ? at_unix_socket : contains(peer.address); }
};

struct Client {
  std::string address;  // as the last trusted proxy saw it; the peer's without one
  std::string scheme;   // "http" or "https", as the client wrote it
  std::string host;     // as the client wrote it, in lower case; empty: not at all
  // It came through a proxy, trusted or not: being here proves nothing of who it is.
  bool is_forwarded = false;
};
Client client_of(const Request& request, const TrustedProxies& proxies);

std::string lower_case(std::string_view text);
// "[::1]:9743" -> "::1", "db-7:9743" -> "db-7"
std::string host_without_port(std::string_view host);

// Where people and the proxy's clients see this server: "https://canary.example/db-7".
struct PublicUrl {
  std::string origin;  // "https://canary.example", lower case
  std::string host;    // "canary.example", without the port
  std::string path;    // "/db-7", no slash at its end; empty: at the top
};
// Nothing for what is no http(s) address, or has a user, a query or a fragment.
std::optional<PublicUrl> parse_public_url(std::string_view text);

}  // namespace writecanary::api
