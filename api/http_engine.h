// HTTP/1.1 on connections that others accept: cpp-httplib parses and writes, this decides what may be read at all and
// hands every request to one function, with a path and a body that are whole.
//
// cpp-httplib's own accept loop, thread pool and pattern routing are not used: they poll, keep a thread per idle
// connection, and read bodies without a bound.
#pragma once

#include <httplib.h>

#include <functional>
#include <optional>
#include <string>

#include "api/refusal.h"
#include "api/socket_stream.h"
#include "core/clock.h"

namespace writecanary::api {

// One request on its way through the engine.
struct Exchange {
  SteadyTime started;
  std::string path;                // decoded, without the query
  std::optional<Refusal> refused;  // what was wrong with it before its body was read; the body is then left out
};

class HttpEngine : private httplib::Server {
 public:
  // Answers a request, whatever it is. Called on the connection's thread; must not throw.
  using Dispatch = std::function<void(const Exchange&, const httplib::Request&, httplib::Response&)>;
  // After the answer was sent.
  using Log = std::function<void(const Exchange&, const httplib::Request&, const httplib::Response&)>;

  HttpEngine(const Clock& clock, Dispatch dispatch, Log log);

  // Serves requests until the peer, a time-out, an error or close() ends it. `may_keep` says, before each
  // answer, whether the connection may stay for another. Any number of threads, each with its own stream.
  void serve(SocketStream& stream, const std::function<bool()>& may_keep);
  // Ends bodies that are being streamed. Any thread.
  void close() { svr_sock_ = INVALID_SOCKET; }

 private:
  void answer_unreadable(const httplib::Request& request, httplib::Response& response);

  const Clock& clock_;
  const Dispatch dispatch_;
};

}  // namespace writecanary::api
