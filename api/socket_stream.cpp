#include "api/socket_stream.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/limits.h"

namespace writecanary::api {
namespace {

using std::chrono::milliseconds;

// A request comes in one piece over any network that one would manage a host by.
constexpr milliseconds kRequestTime{10'000};
// Request line, headers, and the framing of a body sent in chunks.
constexpr std::size_t kRequestHeadBytes = 32'768;
// A reader that takes nothing for so long is gone.
constexpr milliseconds kWriteTime{10'000};
// Bytes thrown away after an answer that came before the request's end: closing with unread input would reset the
// connection, and the client might never see the answer.
constexpr std::size_t kDrainBytes = 1'048'576;
constexpr milliseconds kDrainTime{500};

std::string name_of_peer(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return "unknown";
  if (address.ss_family == AF_UNIX) {
    ucred credentials{};
    socklen_t size = sizeof(credentials);
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return "unknown";
    return "uid " + std::to_string(credentials.uid);
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = address.ss_family == AF_INET6
                          ? static_cast<const void*>(&reinterpret_cast<sockaddr_in6*>(&address)->sin6_addr)
                          : static_cast<const void*>(&reinterpret_cast<sockaddr_in*>(&address)->sin_addr);
  ::inet_ntop(address.ss_family, bytes, text.data(), text.size());
  return text.data();
}

}  // namespace

SocketStream::SocketStream(Fd connection, int stop_fd, const Clock& clock)
    : connection_(std::move(connection)), stop_fd_(stop_fd), clock_(clock), peer_(name_of_peer(connection_.get())) {}

SocketStream::~SocketStream() {
  if (!input_abandoned_) return;
  ::shutdown(connection_.get(), SHUT_WR);
  std::size_t drained = 0;
  for (end_ = 0; drained < kDrainBytes && fill(kDrainTime); drained += end_) {
  }
}

bool SocketStream::wait(short events, milliseconds timeout) const {
  std::array<pollfd, 2> fds{{{connection_.get(), events, 0}, {stop_fd_, POLLIN, 0}}};
  int ready = 0;
  do {
    ready = ::poll(fds.data(), fds.size(), static_cast<int>(std::max<milliseconds::rep>(timeout.count(), 0)));
  } while (ready < 0 && errno == EINTR);
  // What is there already is still served after a stop.
  return ready > 0 && fds[0].revents != 0;
}

bool SocketStream::fill(milliseconds timeout) {
  if (!wait(POLLIN, timeout)) return false;
  const ssize_t got = ::recv(connection_.get(), buffer_.data(), buffer_.size(), 0);
  if (got <= 0) return false;
  begin_ = 0;
  end_ = static_cast<std::size_t>(got);
  return true;
}

bool SocketStream::wait_for_request(milliseconds timeout) {
  if (begin_ == end_ && !fill(timeout)) return false;
  deadline_ = clock_.steady() + kRequestTime;
  read_left_ = kRequestHeadBytes + kRequestBodyBytes;
  return true;
}

bool SocketStream::is_readable() const { return begin_ < end_ || wait(POLLIN, milliseconds{0}); }

bool SocketStream::is_writable() const {
  pollfd state{connection_.get(), POLLRDHUP, 0};
  return ::poll(&state, 1, 0) == 0;
}

ssize_t SocketStream::read(char* data, size_t size) {
  const auto time_left = std::chrono::duration_cast<milliseconds>(deadline_ - clock_.steady());
  if (read_left_ == 0 || (begin_ == end_ && (time_left.count() <= 0 || !fill(time_left)))) {
    abandon_input();
    return -1;
  }
  const std::size_t count = std::min({size, end_ - begin_, read_left_});
  std::memcpy(data, buffer_.data() + begin_, count);
  begin_ += count;
  read_left_ -= count;
  return static_cast<ssize_t>(count);
}

ssize_t SocketStream::write(const char* data, size_t size) {
  // All of it: the library does not go on after a short write.
  for (std::size_t done = 0; done < size;) {
    const ssize_t sent = ::send(connection_.get(), data + done, size - done, MSG_NOSIGNAL);
    if (sent >= 0) {
      done += static_cast<std::size_t>(sent);
    } else if (errno != EINTR && (errno != EAGAIN || !wait(POLLOUT, kWriteTime))) {
      return -1;
    }
  }
  return static_cast<ssize_t>(size);
}

void SocketStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip = peer_;
  port = 0;
}

void SocketStream::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

}  // namespace writecanary::api
