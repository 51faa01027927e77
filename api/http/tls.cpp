#include "api/http/tls.h"

#include <openssl/err.h>

#include <array>
#include <cerrno>

#include "core/base/error.h"

namespace writecanary::api {
namespace {

std::string reason() {
  const auto code = ::ERR_get_error();
  ::ERR_clear_error();
  std::array<char, 256> text{};
  ::ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

void require(bool holds, const std::string& what) {
  if (!holds) throw SystemError(what + " (" + reason() + ")", EINVAL);
}

}  // namespace

TlsContext::TlsContext(const TlsFiles& files) : context_(::SSL_CTX_new(::TLS_server_method())) {
  ::ERR_clear_error();
  auto* context = context_.get();
  require(context != nullptr, "make a TLS context");
  ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  ::SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_TICKET);
  ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  ::SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
  require(::SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) == 1,
          "server.tls_cert " + files.certificate + " is not a readable PEM certificate");
  require(::SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) == 1,
          "server.tls_key " + files.key + " is not a readable PEM key for that certificate");
  if (files.client_ca.empty()) return;
  require(::SSL_CTX_load_verify_locations(context, files.client_ca.c_str(), nullptr) == 1,
          "server.client_ca " + files.client_ca + " holds no readable PEM certificate");
  ::SSL_CTX_set_client_CA_list(context, ::SSL_load_client_CA_file(files.client_ca.c_str()));
  ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
}

}  // namespace writecanary::api
