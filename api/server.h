// The HTTP server: /api/v1, /metrics, /healthz, /readyz and the page.
//
// Runs on its own threads, reads through storage::Reader and LiveBoard, changes through CommandPort. Knows nothing of
// schedules or processes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "api/guard/access.h"
#include "api/routes/services.h"

namespace writecanary::api {

struct ServerOptions {
  std::string listen = "127.0.0.1:9743";  // host:port, [v6]:port or unix:/path; port 0 takes a free one
  std::string evidence_root;              // evidence of run N is in <root>/N
  // One line per request (method, path, status, milliseconds, peer, request id); called from HTTP threads.
  std::function<void(const std::string&)> access_log = [](const std::string&) {};
  std::shared_ptr<const Access> access = std::make_shared<const Access>(AccessRules{});
};

class Server {
 public:
  Server(ServerOptions options, Services services);
  ~Server();  // stops

  // Binds and starts serving; returns once it listens. Throws SystemError that names the address and the likely cause.
  void start();
  // Ends streams and connections, joins the threads. Idempotent. Close the EventHub before.
  void stop();
  // Tokens and certificates from now on. Connections that are there keep the certificate they began with. Any thread.
  void set_access(std::shared_ptr<const Access> access);
  // "http://127.0.0.1:9743" with the real port, or the unix address.
  std::string url() const;
  // Other hosts may reach it. Known once it listens.
  bool is_exposed() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace writecanary::api
