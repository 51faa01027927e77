// A listening socket, TCP or unix, and the address texts that stand for it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "core/base/fd.h"

namespace writecanary::api {

// "127.0.0.1:9743", "[::1]:9743", "localhost:0", "unix:/run/writecanary/api.sock".
struct ListenAddress {
  std::string unix_path;  // empty for TCP
  std::string host;       // without brackets
  std::uint16_t port = 0;

  bool is_unix() const { return !unix_path.empty(); }
  std::string text() const;
};

// Throws SystemError (EINVAL) that says which forms there are.
ListenAddress parse_listen_address(const std::string& text);

class Listener {
 public:
  // Binds and listens; non-blocking. A unix socket that nobody listens on any more is replaced; what is no socket
  // stays. Throws SystemError that names the address and the likely cause.
  explicit Listener(const ListenAddress& address);
  ~Listener();  // removes the file of its unix socket, but no other that has taken its place
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int fd() const { return fd_.get(); }
  const ListenAddress& address() const { return address_; }  // with the port that the kernel gave
  // Only this machine can connect: a loopback address or a unix socket.
  bool is_local() const { return local_; }
  // The next connection, non-blocking; none when there is none (any more). Throws SystemError when descriptors or
  // memory ran out.
  Fd accept() const;

 private:
  void bind_unix();
  void bind_tcp();

  ListenAddress address_;
  dev_t file_device_ = 0;  // of the unix socket's file, to know it again
  ino_t file_number_ = 0;
  Fd fd_;
  bool local_ = true;
};

}  // namespace writecanary::api
