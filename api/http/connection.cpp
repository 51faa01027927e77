#include "api/http/connection.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "api/http/request_head.h"
#include "core/base/limits.h"

namespace writecanary::api {
namespace {

constexpr std::size_t kInputBytesMax = kRequestHeadBytes + kRequestBodyBytes;
// A buffer that was needed once and is larger than this is given back.
constexpr std::size_t kKeptBufferBytes = 4096;

}  // namespace

Connection::Connection(Fd socket, std::shared_ptr<const TlsContext> tls, int stop_fd)
    : tls_(std::move(tls)),
      transport_(std::move(socket), tls_.get()),
      stop_fd_(stop_fd),
      peer_(peer_of(fd())),
      greeted_(tls_ == nullptr) {}

bool Connection::greet() {
  const int done = transport_.shake_hands();
  greeted_ = done > 0;
  if (greeted_) peer_.certificate = transport_.client_name();
  return done >= 0;
}

Connection::Input Connection::receive() {
  wants_other_ = false;
  std::array<char, 8192> chunk;
  while (input_.size() < kInputBytesMax) {
    const auto got = transport_.read(chunk.data(), std::min(chunk.size(), kInputBytesMax - input_.size()));
    if (got == 0) {
      wants_other_ = true;
      break;
    }
    if (got < 0) {
      ended_ = true;
      break;
    }
    input_.append(chunk.data(), static_cast<std::size_t>(got));
    if (judge() != Input::kWaiting) return input_state_;
  }
  return judge();
}

Connection::Input Connection::judge() {
  using State = RequestFraming::State;
  const auto state = input_.empty() ? State::kHead : framing_.look(input_);
  if (state == State::kWhole) {
    input_state_ = Input::kWhole;
  } else if (state == State::kTooLarge || input_.size() >= kInputBytesMax) {
    input_state_ = Input::kTooLarge;
  } else {
    input_state_ = ended_ ? Input::kEnded : Input::kWaiting;
  }
  return input_state_;
}

std::string_view Connection::request() const {
  const std::string_view all = input_;
  return input_state_ == Input::kWhole ? all.substr(0, framing_.size()) : all;
}

Connection::Input Connection::next_request() {
  input_.erase(0, request().size());
  if (input_.empty() && input_.capacity() > kKeptBufferBytes) input_.shrink_to_fit();
  framing_.reset();
  return judge();
}

bool Connection::discard() {
  std::array<char, 8192> chunk;
  while (true) {
    const auto got = transport_.read(chunk.data(), chunk.size());
    if (got <= 0) return got == 0;
  }
}

void Connection::append_output(std::string_view bytes) { output_.append(bytes); }

bool Connection::flush() {
  while (has_output()) {
    const auto went = transport_.write(std::string_view(output_).substr(sent_));
    if (went < 0) return false;
    if (went == 0) return true;
    sent_ += static_cast<std::size_t>(went);
  }
  output_.clear();
  sent_ = 0;
  if (output_.capacity() > kKeptBufferBytes) output_.shrink_to_fit();
  return true;
}

bool Connection::wait(short events, std::chrono::milliseconds patience) const {
  std::array<pollfd, 2> fds{{{fd(), events, 0}, {stop_fd_, POLLIN, 0}}};
  int ready = 0;
  do {
    ready = ::poll(fds.data(), fds.size(), static_cast<int>(patience.count()));
  } while (ready < 0 && errno == EINTR);
  return ready > 0 && fds[1].revents == 0;
}

bool Connection::write_through(std::string_view bytes, std::chrono::milliseconds patience) {
  append_output(bytes);
  while (flush()) {
    if (!has_output()) return true;
    if (!wait(transport_.waits_for(), patience)) return false;
  }
  return false;
}

bool Connection::peer_is_gone() const {
  pollfd state{fd(), POLLRDHUP, 0};
  return ::poll(&state, 1, 0) != 0;
}

short Connection::waits_for() const {
  if (!greeted_) return transport_.waits_for() == POLLOUT ? POLLOUT : POLLIN;
  if (has_output()) return transport_.waits_for();
  return wants_other_ && transport_.waits_for() == POLLOUT ? POLLOUT : POLLIN;
}

}  // namespace writecanary::api
