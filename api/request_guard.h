// Who may ask for what: the one place where a request is turned away before any route sees it.
//
// Without tokens, who can reach a local listener may use it; others may only look. The checks of Host and Origin keep
// web pages, which a browser lets send requests anywhere, from acting for the person who looks at them. Roles of tokens
// belong here too, beside allow_change.
#pragma once

#include <httplib.h>

#include <optional>
#include <string>

#include "api/refusal.h"

namespace writecanary::api {

class RequestGuard {
 public:
  // `listen_host` as configured; local: a loopback or unix listener.
  RequestGuard(std::string listen_host, bool is_unix, bool is_local)
      : listen_host_(std::move(listen_host)), is_unix_(is_unix), is_local_(is_local) {}

  // Every request. Nothing: go on.
  std::optional<Refusal> allow(const httplib::Request& request) const;
  // Requests that change something, after allow().
  std::optional<Refusal> allow_change(const httplib::Request& request) const;

 private:
  std::string listen_host_;
  bool is_unix_;
  bool is_local_;
};

}  // namespace writecanary::api
