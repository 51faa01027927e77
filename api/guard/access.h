// Who may do what: tokens with roles, names and proxies, and the certificates of the listener. A snapshot that a reload
// replaces whole.
//
// Tokens are known by their SHA-256 alone, so that neither configuration nor memory holds what opens the door. Turning
// requests away is api/guard/request_guard.h.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/guard/client.h"
#include "api/http/tls.h"
#include "api/refusal/limits.h"

namespace writecanary::api {

enum class Role : std::uint8_t {
  kViewer,    // may look
  kOperator,  // may also change
};
std::string_view to_string(Role role);
std::optional<Role> parse_role(std::string_view text);

using Sha256 = std::array<unsigned char, 32>;
Sha256 sha256_of(std::string_view bytes);
// 64 hexadecimal digits; nothing for anything else.
std::optional<Sha256> parse_sha256(std::string_view hex);

struct AccessToken {
  std::string name;  // for logs and the audit
  Role role = Role::kViewer;
  Sha256 sha256{};
};

struct AccessRules {
  std::vector<AccessToken> tokens = {};
  TlsFiles tls = {};
  bool anonymous_read = false;                  // whoever shows nothing may look, wherever they are
  std::vector<std::string> allowed_hosts = {};  // names in Host, beside those that are always right; "*": any
  std::optional<PublicUrl> public_url = {};
  TrustedProxies trusted_proxies = {};
  double reads_per_second = kReadsPerSecond;  // of one address; 0: no limit
};

class Access {
 public:
  // Reads the TLS files. Throws SystemError that names the one that cannot be used.
  explicit Access(AccessRules rules);

  bool has_tokens() const { return !rules_.tokens.empty(); }
  // Null when it is none of ours. Takes the same time whichever token it is or nearly is.
  const AccessToken* find(std::string_view token) const;
  // Null: in the clear.
  const std::shared_ptr<const TlsContext>& tls() const { return tls_; }
  bool anonymous_read() const { return rules_.anonymous_read; }
  bool allows_host(std::string_view name) const;
  const std::optional<PublicUrl>& public_url() const { return rules_.public_url; }
  const TrustedProxies& trusted_proxies() const { return rules_.trusted_proxies; }
  double reads_per_second() const { return rules_.reads_per_second; }

 private:
  AccessRules rules_;
  std::shared_ptr<const TlsContext> tls_;
};

// One writer, many readers.
class AccessBoard {
 public:
  void publish(std::shared_ptr<const Access> access) {
    const std::lock_guard lock(mutex_);
    access_ = std::move(access);
  }
  // Never null.
  std::shared_ptr<const Access> get() const {
    const std::lock_guard lock(mutex_);
    return access_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Access> access_ = std::make_shared<Access>(AccessRules{});  // guarded by mutex_
};

}  // namespace writecanary::api
