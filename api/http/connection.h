// One connection between requests and answers: what has come in, what still has to go out, and by when.
//
// Belongs to whoever holds it: the reception while it waits, a worker while a request is served; never both. Only
// write_through() waits.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "api/http/framing.h"
#include "api/http/peer.h"
#include "api/http/tls.h"
#include "api/http/transport.h"
#include "core/base/clock.h"

namespace writecanary::api {

// What becomes of a connection after an answer.
enum class After { kNextRequest, kClose, kDrainAndClose };

class Connection {
 public:
  // Why the input is looked at, or is not: everything but kWaiting is for a worker to answer.
  enum class Input { kWaiting, kWhole, kTooLarge, kTooSlow, kEnded };

  // `stop_fd` becoming readable ends write_through(); it must outlive this. Null `tls`: in the clear.
  Connection(Fd socket, std::shared_ptr<const TlsContext> tls, int stop_fd);

  int fd() const { return transport_.fd(); }
  const Peer& peer() const { return peer_; }
  bool encrypted() const { return tls_ != nullptr; }

  // In TLS, the handshake comes first. It is for a worker, because it takes time; false when it has failed.
  bool is_greeted() const { return greeted_; }
  bool greet();
  // Reads what is there, up to one request and what came along with it.
  Input receive();
  Input input() const { return input_state_; }
  // The time for the request is over.
  void give_up() { input_state_ = Input::kTooSlow; }
  // A byte of a request is there.
  bool has_input() const { return !input_.empty(); }
  // Everything that came, the request first, and how much of it the request is.
  std::string_view request() const;
  // Whether the client waits for "100 Continue" before it sends the body; true once.
  bool take_expectation() { return framing_.take_expectation(); }
  // The request was served: what came after it is the next one, and is looked at.
  Input next_request();
  // Throws input away. False at the end of it.
  bool discard();
  // For the bound on what all connections hold together.
  std::size_t buffered_bytes() const { return input_.capacity() + output_.size() - sent_; }

  void append_output(std::string_view bytes);
  bool has_output() const { return sent_ < output_.size(); }
  // Sends what goes without waiting. False when the connection is broken.
  bool flush();
  // Sends all of it, waiting up to `patience` whenever the peer takes nothing. False when it is broken or too slow.
  bool write_through(std::string_view bytes, std::chrono::milliseconds patience);
  // The peer has closed its side, or more.
  bool peer_is_gone() const;
  void finish() { transport_.finish(); }

  // POLLIN, POLLOUT: what to wait for.
  short waits_for() const;

  SteadyTime deadline{};     // for what it waits for now; kept by the reception
  SteadyTime waits_since{};  // the longest waiting one makes room for others; kept by the reception

 private:
  bool wait(short events, std::chrono::milliseconds patience) const;
  Input judge();

  const std::shared_ptr<const TlsContext> tls_;
  Transport transport_;
  const int stop_fd_;
  Peer peer_;
  RequestFraming framing_;
  Input input_state_ = Input::kWaiting;
  bool greeted_;
  bool ended_ = false;        // the peer will send no more
  bool wants_other_ = false;  // reading waits for transport_.waits_for()
  std::string input_;
  std::string output_;
  std::size_t sent_ = 0;  // of output_
};

}  // namespace writecanary::api
