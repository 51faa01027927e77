// SHA-256 of bytes as they come, so that whoever gets evidence can tell that it is what was kept.
#pragma once

#include <openssl/evp.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace writecanary::probe {

class Sha256 {
 public:
  Sha256();
  void update(std::span<const std::byte> bytes);
  // Of all bytes so far, in lower-case hex. The object is of no use after that.
  std::string hex();

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

std::string sha256_hex(std::string_view bytes);

}  // namespace writecanary::probe
