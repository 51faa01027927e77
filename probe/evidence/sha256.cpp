#include "probe/evidence/sha256.h"

#include <fmt/format.h>

#include <cerrno>
#include <iterator>

#include "core/base/error.h"

namespace writecanary::probe {

// OpenSSL fails here only without memory or with a configuration that forbids SHA-256.
Sha256::Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
  if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) {
    throw SystemError("make a SHA-256 context with OpenSSL", ENOTSUP);
  }
}

void Sha256::update(std::span<const std::byte> bytes) {
  WC_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

std::string Sha256::hex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  WC_CHECK(EVP_DigestFinal_ex(context_.get(), digest, &length) == 1);
  std::string text;
  for (unsigned i = 0; i < length; ++i) fmt::format_to(std::back_inserter(text), "{:02x}", digest[i]);
  return text;
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(bytes)));
  return hash.hex();
}

}  // namespace writecanary::probe
