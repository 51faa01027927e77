// The bytes of one connection, in the clear or in TLS, without ever waiting. Used by one thread at a time.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "api/http/tls.h"
#include "core/base/fd.h"

namespace writecanary::api {

class Transport {
 public:
  // Takes the non-blocking socket. `tls`: shake_hands() before anything else; null: in the clear.
  Transport(Fd socket, const TlsContext* tls);

  int fd() const { return socket_.get(); }
  // The next step of the TLS handshake, which takes milliseconds of CPU time. 1: it is done; 0: see waits_for(); -1: it
  // has failed.
  int shake_hands();
  // How many bytes came or went; 0: none now, see waits_for(); -1: the connection has ended or is broken.
  ssize_t read(char* data, std::size_t size);
  ssize_t write(std::string_view data);
  // POLLIN or POLLOUT: what must be before the call that returned 0 can go on. In TLS, reading may need writing.
  short waits_for() const { return waits_for_; }
  // Nothing more will be written.
  void finish();
  // Common name of the certificate that the client showed; empty without one. Known after the handshake.
  std::string client_name() const;

 private:
  ssize_t outcome(ssize_t moved, short waits_for);
  ssize_t tls_outcome(int result, std::size_t moved);

  struct Free {
    void operator()(SSL* ssl) const { ::SSL_free(ssl); }
  };
  Fd socket_;
  std::unique_ptr<SSL, Free> tls_;
  short waits_for_ = 0;
};

}  // namespace writecanary::api
