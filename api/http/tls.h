// TLS for the listener, by OpenSSL: 1.2 and newer, with client certificates when an authority for them is given.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace writecanary::api {

struct TlsFiles {
  std::string certificate;  // PEM, the chain; empty: no TLS
  std::string key;          // PEM
  std::string client_ca;    // PEM; when given, only clients with a certificate from it may connect

  bool operator==(const TlsFiles&) const = default;
};

// Certificate, key and rules, as they were when they were read. Connections share it; new files make a new one.
class TlsContext {
 public:
  // Throws SystemError that names the file and what is wrong with it.
  explicit TlsContext(const TlsFiles& files);

  SSL_CTX* get() const { return context_.get(); }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { ::SSL_CTX_free(context); }
  };
  std::unique_ptr<SSL_CTX, Free> context_;
};

}  // namespace writecanary::api
