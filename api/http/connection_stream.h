// A connection as the HTTP library sees it, for one request: it reads what has come already and never waits for more;
// what it writes is kept for the reception to send, unless the answer is a stream of its own.
#pragma once

#include <httplib.h>

#include <string>

#include "api/http/connection.h"

namespace writecanary::api {

class ConnectionStream final : public httplib::Stream {
 public:
  explicit ConnectionStream(Connection& connection) : connection_(connection), request_(connection.request()) {}

  const Connection& connection() const { return connection_; }
  // No further request can be read, because the end of this one is unknown; what still comes in is thrown away.
  void abandon_input() { input_abandoned_ = true; }
  bool input_abandoned() const { return input_abandoned_; }
  // Every byte of the request was read: the next one begins where this one ends.
  bool is_used_up() const { return read_ == request_.size(); }
  // From now on what is written goes out at once, and this thread waits for a slow reader.
  void write_through() { through_ = true; }

  bool is_readable() const override { return !is_used_up(); }
  // False once nobody waits for the answer any more.
  bool is_writable() const override { return !through_ || !connection_.peer_is_gone(); }
  ssize_t read(char* data, size_t size) override;
  ssize_t write(const char* data, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  // The library only asks whether it would fit into an fd_set.
  socket_t socket() const override { return 0; }

 private:
  Connection& connection_;
  const std::string_view request_;
  std::size_t read_ = 0;
  bool input_abandoned_ = false;
  bool through_ = false;
};

}  // namespace writecanary::api
