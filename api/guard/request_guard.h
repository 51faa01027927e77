// Who may ask for what: the one place where a request is turned away before any route sees it.
//
// Without tokens, who reaches a local listener by itself may use it; others may look only where that was allowed. With
// tokens, every call but those that are open to all wants one; at a unix socket root and the daemon's own user need
// none. Being here proves nothing for a request that came through a proxy. The checks of Host and Origin keep web
// pages, which a browser lets send requests anywhere, from acting for the person who looks at them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "api/guard/access.h"
#include "api/guard/client.h"
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
  RequestGuard(std::string_view listen_host, bool is_unix, bool is_local, const AccessBoard& access);

  Client client(const Request& request) const { return client_of(request, access_.get()->trusted_proxies()); }
  // What stands before a path that this client sees: "/db-7" behind a proxy, or nothing.
  std::string path_prefix(const Client& client) const;

  // Every request. Nothing: go on.
  std::optional<Refusal> check_host(const Request& request, const Client& client) const;
  // 401 for an unknown token, and without one where one is needed, 403 where none could help; `open`: it is not.
  std::variant<Identity, Refusal> identify(const Request& request, const Client& client, bool open) const;
  // 403 when the role is not enough.
  std::optional<Refusal> check_role(const Identity& identity, Role needed) const;
  // Requests that change something, after all of these: not sent by another site's page.
  std::optional<Refusal> check_origin(const Request& request, const Client& client) const;
  // Others after each reload: what was allowed before may not be any more.
  std::shared_ptr<const Access> rules() const { return access_.get(); }

 private:
  bool answers_for(const Access& access, const std::string& name) const;

  std::string listen_host_;
  std::string own_name_;
  bool is_unix_;
  bool is_local_;
  const AccessBoard& access_;
};

}  // namespace writecanary::api
