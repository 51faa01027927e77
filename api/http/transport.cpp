#include "api/http/transport.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <new>

namespace writecanary::api {

Transport::Transport(Fd socket, const TlsContext* tls) : socket_(std::move(socket)) {
  if (tls == nullptr) return;
  tls_.reset(::SSL_new(tls->get()));
  if (!tls_ || ::SSL_set_fd(tls_.get(), socket_.get()) != 1) throw std::bad_alloc();
  ::SSL_set_accept_state(tls_.get());
}

ssize_t Transport::outcome(ssize_t moved, short waits_for) {
  if (moved > 0) return moved;
  if (moved == 0 || (errno != EAGAIN && errno != EINTR)) return -1;
  waits_for_ = waits_for;
  return 0;
}

ssize_t Transport::tls_outcome(int result, std::size_t moved) {
  if (result > 0) return static_cast<ssize_t>(moved);
  const int error = ::SSL_get_error(tls_.get(), result);
  if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return -1;
  waits_for_ = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
  return 0;
}

int Transport::shake_hands() {
  ::ERR_clear_error();
  return static_cast<int>(tls_outcome(::SSL_do_handshake(tls_.get()), 1));
}

ssize_t Transport::read(char* data, std::size_t size) {
  if (!tls_) return outcome(::recv(socket_.get(), data, size, 0), POLLIN);
  ::ERR_clear_error();
  std::size_t got = 0;
  const int result = ::SSL_read_ex(tls_.get(), data, size, &got);
  return tls_outcome(result, got);
}

ssize_t Transport::write(std::string_view data) {
  if (!tls_) return outcome(::send(socket_.get(), data.data(), data.size(), MSG_NOSIGNAL), POLLOUT);
  ::ERR_clear_error();
  std::size_t sent = 0;
  const int result = ::SSL_write_ex(tls_.get(), data.data(), data.size(), &sent);
  return tls_outcome(result, sent);
}

void Transport::finish() {
  if (tls_ && ::SSL_is_init_finished(tls_.get()) == 1) {
    ::ERR_clear_error();
    ::SSL_shutdown(tls_.get());
  }
  ::shutdown(socket_.get(), SHUT_WR);
}

std::string Transport::client_name() const {
  if (!tls_) return {};
  const X509* certificate = ::SSL_get0_peer_certificate(tls_.get());
  if (certificate == nullptr) return {};
  std::array<char, 128> name{};
  const int length =
      ::X509_NAME_get_text_by_NID(::X509_get_subject_name(certificate), NID_commonName, name.data(), name.size());
  return length > 0 ? std::string(name.data(), static_cast<std::size_t>(length)) : "unnamed certificate";
}

}  // namespace writecanary::api
