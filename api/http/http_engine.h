// HTTP/1.1 for requests that the reception has received: cpp-httplib parses and writes, this decides what may be read
// at all and hands every request to one function, with a path and a body that are whole.
//
// cpp-httplib's own accept loop, thread pool and pattern routing are not used: they poll, keep a thread per idle
// connection, and read bodies without a bound.
#pragma once

#include <httplib.h>

#include <functional>
#include <optional>
#include <string>

#include "api/http/connection.h"
#include "api/refusal/refusal.h"
#include "core/base/clock.h"

namespace writecanary::api {

// One request on its way through the engine.
struct Exchange {
  SteadyTime started;
  std::string path;                // decoded, without the query
  std::optional<Refusal> refused;  // what was wrong with it before its body was read; the body is then left out
  const Peer* peer = nullptr;      // of its connection
  bool encrypted = false;          // it came in TLS
};

class HttpEngine : private httplib::Server {
 public:
  // Answers a request, whatever it is. Called on the connection's thread; must not throw.
  using Dispatch = std::function<void(const Exchange&, const httplib::Request&, httplib::Response&)>;
  // After the answer was sent.
  using Log = std::function<void(const Exchange&, const httplib::Request&, const httplib::Response&)>;

  HttpEngine(const Clock& clock, Dispatch dispatch, Log log);

  // Answers the request that the connection holds, or says what is wrong with it. Any number of threads, each with a
  // connection of its own.
  After serve(Connection& connection);
  // Ends bodies that are being streamed. Any thread.
  void close() { svr_sock_ = INVALID_SOCKET; }

 private:
  void answer_unreadable(const httplib::Request& request, httplib::Response& response);

  const Clock& clock_;
  const Dispatch dispatch_;
};

}  // namespace writecanary::api
