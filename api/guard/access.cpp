#include "api/guard/access.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace writecanary::api {

std::string_view to_string(Role role) { return role == Role::kOperator ? "operator" : "viewer"; }

std::optional<Role> parse_role(std::string_view text) {
  for (const Role role : {Role::kViewer, Role::kOperator}) {
    if (text == to_string(role)) return role;
  }
  return std::nullopt;
}

Sha256 sha256_of(std::string_view bytes) {
  Sha256 digest{};
  ::SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return digest;
}

std::optional<Sha256> parse_sha256(std::string_view hex) {
  Sha256 digest{};
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const char* digits = hex.data() + 2 * i;
    const auto [end, error] = std::from_chars(digits, digits + 2, digest[i], 16);
    if (error != std::errc{} || end != digits + 2) return std::nullopt;
  }
  return digest;
}

Access::Access(AccessRules rules) : rules_(std::move(rules)) {
  if (!rules_.tls.certificate.empty()) tls_ = std::make_shared<const TlsContext>(rules_.tls);
}

bool Access::allows_host(std::string_view name) const {
  if (rules_.public_url && name == rules_.public_url->host) return true;
  return std::ranges::any_of(rules_.allowed_hosts,
                             [name](const std::string& allowed) { return allowed == "*" || allowed == name; });
}

const AccessToken* Access::find(std::string_view token) const {
  const Sha256 given = sha256_of(token);
  const AccessToken* found = nullptr;
  for (const auto& known : rules_.tokens) {
    if (::CRYPTO_memcmp(known.sha256.data(), given.data(), given.size()) == 0) found = &known;
  }
  return found;
}

}  // namespace writecanary::api
