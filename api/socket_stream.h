// One connection as the HTTP library reads and writes it: non-blocking underneath, with a time and a size that one
// request may take, so that a slow or endless client costs no more than that. Used by one thread.
#pragma once

#include <httplib.h>

#include <array>
#include <chrono>
#include <string>

#include "core/clock.h"
#include "core/fd.h"

namespace writecanary::api {

class SocketStream final : public httplib::Stream {
 public:
  // Takes the connection. stop_fd becoming readable ends every wait; it and the clock must outlive the stream.
  SocketStream(Fd connection, int stop_fd, const Clock& clock);
  ~SocketStream() override;
  SocketStream(const SocketStream&) = delete;
  SocketStream& operator=(const SocketStream&) = delete;

  // Waits for the first byte of a request and starts its time and size. False on time-out, end or stop.
  bool wait_for_request(std::chrono::milliseconds timeout);
  // No further request can be read, because the end of this one is unknown; what still comes in is thrown away.
  void abandon_input() { input_abandoned_ = true; }
  bool input_abandoned() const { return input_abandoned_; }
  // The request was larger than it may be.
  bool over_size() const { return read_left_ == 0; }
  // "127.0.0.1", or "uid 1000" for a unix socket.
  const std::string& peer() const { return peer_; }

  bool is_readable() const override;
  // False once the peer closed its side: nobody waits for the answer.
  bool is_writable() const override;
  ssize_t read(char* data, size_t size) override;
  ssize_t write(const char* data, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return connection_.get(); }

 private:
  bool wait(short events, std::chrono::milliseconds timeout) const;
  bool fill(std::chrono::milliseconds timeout);

  Fd connection_;
  const int stop_fd_;
  const Clock& clock_;
  std::string peer_;
  std::array<char, 4096> buffer_{};
  std::size_t begin_ = 0, end_ = 0;  // what is unread in buffer_
  std::size_t read_left_ = 0;
  SteadyTime deadline_;
  bool input_abandoned_ = false;
};

}  // namespace writecanary::api
