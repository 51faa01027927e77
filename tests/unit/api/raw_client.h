// A TCP client that sends exactly what it is told, to see what well-behaved libraries cannot provoke.
#pragma once

#include <string>

#include "core/base/fd.h"

namespace writecanary::api::test {

class RawClient {
 public:
  explicit RawClient(int port, const char* from = "127.0.0.1");
  void send(const std::string& bytes);
  // No more will be sent.
  void finish_sending();
  // Everything up to the end of the connection.
  std::string read_all();
  // Up to and including `text`, or what there was when the connection ended.
  std::string read_until(const std::string& text);

 private:
  Fd socket_;
};

// A request as a browser or curl writes it.
std::string raw_request(const std::string& line, const std::string& headers, const std::string& body = "");

}  // namespace writecanary::api::test
