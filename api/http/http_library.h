// cpp-httplib, which formats what is answered: it takes the target apart, writes the status line and headers,
// compresses and sends in chunks. This file and its .cpp are the only ones of the server that know the library, and the
// place where its versions differ (0.11 of Debian 12, 0.18 of Debian 13).
//
// It is never shown what a client sent. It reads a request line and two headers that HttpEngine writes, so that nothing
// of its reading that costs or harms (ranges and multipart by regular expression, percent-decoding of headers,
// trailers, form and compressed bodies) can be reached. docs/adr/0006-http-library.md says why connections are not the
// library's.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "api/http/message.h"

namespace writecanary::api {

// Where the bytes of an answer go.
class AnswerOutput {
 public:
  virtual ~AnswerOutput() = default;
  // False: there is nobody who takes them.
  virtual bool write(std::string_view bytes) = 0;
  virtual bool is_wanted() const = 0;
};

class HttpLibrary {
 public:
  // How the answer is written.
  struct Form {
    std::string target;  // at most kTargetBytes of printable ASCII without '#' and with at most one '?'
    bool head = false;   // headers alone
    bool gzip = false;   // where the type is worth it
    bool close = false;  // it is the last one of its connection
    bool chunks = true;  // the client knows them; false: a body of unknown length ends with the connection
  };
  // Makes the answer, which must outlive answer(); its body is taken. Must not throw.
  using Answerer = std::function<Response&(std::string path, Params params)>;

  explicit HttpLibrary(std::chrono::seconds announced_keep_alive);
  ~HttpLibrary();

  // Any number of threads. False when the answer did not go out whole.
  bool answer(const Form& form, const Answerer& answerer, AnswerOutput& output);
  // Ends answers that have a source. Any thread.
  void close();
  bool is_closed() const;

 private:
  class Formatter;
  std::unique_ptr<Formatter> formatter_;
};

}  // namespace writecanary::api
