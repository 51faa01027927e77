// Who is at the other end of a connection, as far as the connection itself tells.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace writecanary::api {

struct Peer {
  std::string address = "unknown";  // "192.0.2.7", or "uid 1000" at a unix socket
  std::optional<uid_t> uid;         // at a unix socket, as the kernel says it (SO_PEERCRED)
  std::string certificate;          // common name of a verified client certificate; empty without one
};

// Of a connected socket; the certificate is not looked at.
Peer peer_of(int fd);

}  // namespace writecanary::api
