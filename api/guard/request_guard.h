// Who may ask for what: the one place where a request is turned away before any route sees it.
//
// Without tokens, who can reach a local listener may use it; others may only look. With tokens, every call but those
// that are open to all wants one; at a unix socket root and the daemon's own user need none. The checks of Host and
// Origin keep web pages, which a browser lets send requests anywhere, from acting for the person who looks at them.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "api/guard/access.h"
#include "api/http/message.h"
#include "api/refusal/refusal.h"

namespace writecanary::api {

// Who it turned out to be, and what they may do.
struct Identity {
  std::string who;
  Role role = Role::kViewer;
};

class RequestGuard {
 public:
  // `listen_host` as configured; local: a loopback or unix listener. The board must outlive this.
  RequestGuard(std::string listen_host, bool is_unix, bool is_local, const AccessBoard& access)
      : listen_host_(std::move(listen_host)), is_unix_(is_unix), is_local_(is_local), access_(access) {}

  // Every request. Nothing: go on.
  std::optional<Refusal> check_host(const Request& request) const;
  // 401 for an unknown token, and without one where one is needed; `open`: it is not.
  std::variant<Identity, Refusal> identify(const Request& request, const Peer& peer, bool open) const;
  // 403 when the role is not enough.
  std::optional<Refusal> check_role(const Identity& identity, Role needed) const;
  // Requests that change something, after all of these: not sent by another site's page.
  std::optional<Refusal> check_origin(const Request& request) const;

 private:
  std::string listen_host_;
  bool is_unix_;
  bool is_local_;
  const AccessBoard& access_;
};

}  // namespace writecanary::api
