#include "tests/unit/api/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

#include "core/base/error.h"

namespace writecanary::api::test {

RawClient::RawClient(int port, const char* from) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  inet_pton(AF_INET, from, &address.sin_addr);
  if (::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) throw_errno("bind");
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) throw_errno("connect");
}

void RawClient::send(const std::string& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const auto sent = ::send(socket_.get(), bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
    if (sent < 0) return;  // the server has heard enough
    done += static_cast<std::size_t>(sent);
  }
}

void RawClient::finish_sending() { ::shutdown(socket_.get(), SHUT_WR); }

std::string RawClient::read_all() { return read_until(std::string("\0never\0", 7)); }

std::string RawClient::read_until(const std::string& text) {
  std::string all;
  std::array<char, 4096> buffer{};
  while (all.find(text) == std::string::npos) {
    const auto got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (got <= 0) break;
    all.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return all;
}

std::string raw_request(const std::string& line, const std::string& headers, const std::string& body) {
  std::string text = line + " HTTP/1.1\r\nHost: localhost\r\n" + headers;
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text + "\r\n" + body;
}

}  // namespace writecanary::api::test
