#include "api/http/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

namespace writecanary::api {

Peer peer_of(int fd) {
  Peer peer;
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return peer;
  if (address.ss_family == AF_UNIX) {
    ucred credentials{};
    socklen_t size = sizeof(credentials);
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return peer;
    peer.uid = credentials.uid;
    peer.address = "uid " + std::to_string(credentials.uid);
    return peer;
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  int family = address.ss_family;
  const void* bytes = &reinterpret_cast<sockaddr_in*>(&address)->sin_addr;
  if (family == AF_INET6) {
    const auto& v6 = reinterpret_cast<sockaddr_in6*>(&address)->sin6_addr;
    // A listener on [::] sees its neighbours of version 4 so; they are the same as elsewhere.
    const bool mapped = IN6_IS_ADDR_V4MAPPED(&v6) != 0;
    if (mapped) family = AF_INET;
    bytes = mapped ? &v6.s6_addr[12] : &v6.s6_addr[0];
  }
  if (::inet_ntop(family, bytes, text.data(), text.size()) != nullptr) peer.address = text.data();
  return peer;
}

}  // namespace writecanary::api
