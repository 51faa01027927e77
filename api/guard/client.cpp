#include "api/guard/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>

#include "api/http/request_head.h"

namespace writecanary::api {
namespace {

// What proxies add; one that adds none of them cannot be told from a client.
constexpr std::array kForwardingHeaders = {"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
                                           "X-Real-IP",       "Forwarded",        "Via"};
constexpr unsigned kMappedBits = 96;

std::optional<Network> parse_address(const std::string& text) {
  Network network;
  in_addr v4{};
  if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) {
    network.bytes[10] = network.bytes[11] = 0xff;
    std::memcpy(&network.bytes[12], &v4, sizeof(v4));
    return network;
  }
  if (::inet_pton(AF_INET6, text.c_str(), network.bytes.data()) == 1) return network;
  return std::nullopt;
}

bool is_within(const Network& address, const Network& network) {
  for (unsigned bit = 0; bit < network.prefix_bits; bit += 8) {
    const unsigned bits = std::min(8U, network.prefix_bits - bit);
    const auto mask = static_cast<unsigned char>(0xff00U >> bits);
    if (((address.bytes[bit / 8] ^ network.bytes[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

// All elements of all headers of that name, in order.
std::vector<std::string> elements_of(const Request& request, const std::string& name) {
  std::vector<std::string> elements;
  const auto [begin, end] = request.headers.equal_range(name);
  for (auto it = begin; it != end; ++it) {
    for_each_element(it->second, [&](std::string_view element) { elements.emplace_back(element); });
  }
  return elements;
}

// Each proxy adds whom it was asked by at the end: read from there, up to the first that nobody vouches for.
std::string forwarded_for(const Request& request, const TrustedProxies& proxies) {
  std::string client = request.peer->address;
  const auto hops = elements_of(request, "X-Forwarded-For");
  for (auto hop = hops.rbegin(); hop != hops.rend() && parse_address(*hop); ++hop) {
    client = *hop;
    if (!proxies.contains(client)) break;
  }
  return client;
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::optional<Network> parse_network(std::string_view text) {
  const auto slash = text.find('/');
  const bool v4 = text.find(':') == std::string_view::npos;
  auto network = parse_address(std::string(text.substr(0, slash)));
  if (!network || slash == std::string_view::npos) return network;
  const auto digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (error != std::errc{} || end != digits.data() + digits.size() || bits > (v4 ? 32U : 128U)) return std::nullopt;
  network->prefix_bits = v4 ? kMappedBits + bits : bits;
  return network;
}

bool TrustedProxies::contains(const std::string& address) const {
  const auto parsed = parse_address(address);
  return parsed && std::ranges::any_of(networks, [&](const Network& each) { return is_within(*parsed, each); });
}

Client client_of(const Request& request, const TrustedProxies& proxies) {
  Client client{request.peer->address, request.encrypted ? "https" : "http", lower_case(request.header("Host"))};
  client.is_forwarded =
      std::ranges::any_of(kForwardingHeaders, [&](const char* name) { return request.has_header(name); });
  if (!proxies.contains(*request.peer)) return client;
  client.is_forwarded = true;
  client.address = forwarded_for(request, proxies);
  const auto schemes = elements_of(request, "X-Forwarded-Proto");
  if (!schemes.empty()) client.scheme = lower_case(schemes.back());
  const auto hosts = elements_of(request, "X-Forwarded-Host");
  if (!hosts.empty()) client.host = lower_case(hosts.back());
  return client;
}

std::string host_without_port(std::string_view host) {
  if (host.starts_with('[')) return std::string(host.substr(1, std::min(host.find(']'), host.size()) - 1));
  return std::string(host.substr(0, host.find(':')));
}

std::optional<PublicUrl> parse_public_url(std::string_view text) {
  const bool known = text.starts_with("https://") || text.starts_with("http://");
  if (!known || text.find_first_of("?#@ \"\\") != std::string_view::npos) return std::nullopt;
  const auto begin = text.find("://") + 3;
  const auto path = std::min(text.find('/', begin), text.size());
  if (path == begin) return std::nullopt;
  PublicUrl url{lower_case(text.substr(0, path)), lower_case(host_without_port(text.substr(begin, path - begin))),
                std::string(text.substr(path))};
  while (url.path.ends_with('/')) url.path.pop_back();
  return url;
}

}  // namespace writecanary::api
