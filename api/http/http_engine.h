// HTTP/1.1 for requests that the reception has received: this decides what is a request at all, hands each to one
// function, with a path and a body that are whole, and has cpp-httplib write the answer.
//
// The library's own accept loop, thread pool, routing and reading of bodies are not used
// (docs/adr/0006-http-library.md).
#pragma once

#include <functional>
#include <string_view>

#include "api/http/connection.h"
#include "api/http/http_library.h"
#include "api/http/message.h"
#include "core/base/clock.h"

namespace writecanary::api {

// Where the bytes of one answer go.
class RequestOutput : public AnswerOutput {
 public:
  // The answer has a source: from now on what is written goes out at once, and this thread waits for a slow reader.
  virtual void write_through() = 0;
};

class HttpEngine {
 public:
  // Answers a request, whatever it is. Called on the connection's thread; must not throw.
  using Dispatch = std::function<void(const Request&, Response&)>;
  // After the answer was sent; its body is gone.
  using Log = std::function<void(const Request&, const Response&)>;

  // What came in, and as what.
  struct Received {
    std::string_view bytes;
    Connection::Input input = Connection::Input::kWhole;
    const Peer& peer;
    bool encrypted = false;
  };

  HttpEngine(const Clock& clock, Dispatch dispatch, Log log);

  // Answers the request that the connection holds, or says what is wrong with it. Any number of threads, each with a
  // connection of its own.
  After serve(Connection& connection);
  After answer(const Received& received, RequestOutput& output);
  // Ends bodies that are being streamed. Any thread.
  void close() { library_.close(); }

 private:
  const Clock& clock_;
  const Dispatch dispatch_;
  const Log log_;
  HttpLibrary library_;
};

}  // namespace writecanary::api
