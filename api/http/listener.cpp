#include "api/http/listener.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <string_view>

#include "core/base/error.h"

namespace writecanary::api {
namespace {

constexpr int kBacklog = 128;
constexpr std::string_view kUnixPrefix = "unix:";
// The daemon's user and its group; others have no business here.
constexpr mode_t kUnixSocketMode = 0660;

[[noreturn]] void refuse_address(const std::string& text) {
  throw SystemError("listen address \"" + text + "\": expected host:port, [v6 address]:port or unix:/path", EINVAL);
}

std::string likely_cause(int error_number) {
  switch (error_number) {
    case EADDRINUSE:
      return " (another process listens there: ss -ltnp shows which)";
    case EADDRNOTAVAIL:
      return " (no interface of this host has that address)";
    case EACCES:
      return " (ports below 1024 and foreign directories need privileges)";
    default:
      return "";
  }
}

[[noreturn]] void fail(const ListenAddress& address, int error_number) {
  throw SystemError("listen on " + address.text() + likely_cause(error_number), error_number);
}

bool is_loopback(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    return (ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr) >> 24) == 127;
  }
  return address->sa_family == AF_INET6 &&
         IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr) != 0;
}

sockaddr_un unix_address(const ListenAddress& address) {
  sockaddr_un result{};
  result.sun_family = AF_UNIX;
  if (address.unix_path.size() >= sizeof(result.sun_path)) fail(address, ENAMETOOLONG);
  std::memcpy(result.sun_path, address.unix_path.c_str(), address.unix_path.size() + 1);
  return result;
}

// A socket file outlives its process; connecting tells whether somebody is still behind it. Connecting to a file that
// is no socket is refused as well, so what it is must be known first.
void remove_dead_socket(const ListenAddress& address, const sockaddr_un& target) {
  struct stat file {};
  if (::lstat(target.sun_path, &file) != 0) return;  // bind() says what else may be wrong
  if (!S_ISSOCK(file.st_mode)) {
    throw SystemError("listen on " + address.text() + " (what is there is no socket: remove it or choose another path)",
                      EEXIST);
  }
  const Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe) throw_errno("socket");
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&target), sizeof(target)) == 0 || errno == EAGAIN) {
    fail(address, EADDRINUSE);
  }
  if (errno == ECONNREFUSED) ::unlink(address.unix_path.c_str());
}

}  // namespace

std::string ListenAddress::text() const {
  if (is_unix()) return std::string(kUnixPrefix) + unix_path;
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

ListenAddress parse_listen_address(const std::string& text) {
  ListenAddress address;
  if (text.starts_with(kUnixPrefix)) {
    address.unix_path = text.substr(kUnixPrefix.size());
    if (!address.unix_path.starts_with('/')) refuse_address(text);
    return address;
  }
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) refuse_address(text);
  address.host = text.substr(0, colon);
  if (address.host.starts_with('[') && address.host.ends_with(']')) {
    address.host = address.host.substr(1, address.host.size() - 2);
  } else if (address.host.find(':') != std::string::npos) {
    refuse_address(text);
  }
  const char* digits = text.data() + colon + 1;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(digits, end, address.port);
  if (error != std::errc{} || stop != end || address.host.empty()) refuse_address(text);
  return address;
}

Listener::Listener(const ListenAddress& address) : address_(address) {
  if (address_.is_unix()) {
    bind_unix();
  } else {
    bind_tcp();
  }
  if (::listen(fd_.get(), kBacklog) != 0) fail(address_, errno);
}

Listener::~Listener() {
  struct stat file {};
  const bool is_ours = address_.is_unix() && ::lstat(address_.unix_path.c_str(), &file) == 0 &&
                       file.st_dev == file_device_ && file.st_ino == file_number_;
  if (is_ours) ::unlink(address_.unix_path.c_str());
}

void Listener::bind_unix() {
  const sockaddr_un target = unix_address(address_);
  remove_dead_socket(address_, target);
  fd_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd_) throw_errno("socket");
  if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&target), sizeof(target)) != 0) fail(address_, errno);
  if (::chmod(address_.unix_path.c_str(), kUnixSocketMode) != 0) throw_errno("chmod " + address_.unix_path);
  struct stat file {};
  if (::lstat(address_.unix_path.c_str(), &file) != 0) throw_errno("stat " + address_.unix_path);
  file_device_ = file.st_dev;
  file_number_ = file.st_ino;
}

void Listener::bind_tcp() {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(address_.host.c_str(), std::to_string(address_.port).c_str(), &hints, &found)) {
    throw SystemError("listen on " + address_.text() + " (" + ::gai_strerror(error) + ")", EADDRNOTAVAIL);
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, &::freeaddrinfo);
  fd_ = Fd(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd_) throw_errno("socket");
  const int on = 1;
  // Only past connections in TIME_WAIT are overlooked; a second listener is still refused.
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (::bind(fd_.get(), found->ai_addr, found->ai_addrlen) != 0) fail(address_, errno);
  local_ = is_loopback(found->ai_addr);

  sockaddr_storage bound{};
  socklen_t length = sizeof(bound);
  if (::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&bound), &length) != 0) throw_errno("getsockname");
  address_.port = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                                                    : reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
}

Fd Listener::accept() const {
  Fd connection(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (connection) {
    const int on = 1;
    if (!address_.is_unix()) ::setsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return connection;
  }
  if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) throw_errno("accept");
  return {};  // gone again, or a signal
}

}  // namespace writecanary::api
