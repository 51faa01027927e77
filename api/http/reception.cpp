#include "api/http/reception.h"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "api/refusal/limits.h"
#include "core/base/error.h"

namespace writecanary::api {
namespace {

using std::chrono::milliseconds;

// A request comes in one piece over any network that one would manage a host by.
constexpr milliseconds kRequestTime{10'000};
// Prometheus scrapes every 15 s; a kept connection saves it a handshake.
constexpr milliseconds kKeepAliveTime{30'000};
// A reader that takes nothing for so long is gone; none may take longer than this for one answer.
constexpr milliseconds kReaderPatience{10'000};
constexpr milliseconds kAnswerTime{60'000};
// After an answer that came before the request's end: closing with unread input would reset the connection, and the
// client might never see the answer.
constexpr milliseconds kDrainTime{2'000};
constexpr int kSweepMs = 500;
constexpr int kTurnsPerSweep = 64;
constexpr int kAcceptPauseMs = 100;
constexpr int kAcceptsPerTurn = 64;
// When all together hold too much, at least one holds more than this; who holds less is never dismissed for the others.
constexpr std::size_t kFairBytes = kBufferedBytesMax / kConnectionsMax;

}  // namespace

Reception::Reception(const Listener& listener, const Clock& clock, int stop_fd, Callbacks callbacks)
    : listener_(listener), clock_(clock), stop_fd_(stop_fd), callbacks_(std::move(callbacks)) {
  epoll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) throw_errno("epoll_create1");
  for (const int fd : {listener_.fd(), stop_fd_}) {
    epoll_event event{EPOLLIN, {.fd = fd}};
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) throw_errno("epoll_ctl add");
  }
}

void Reception::start() {
  thread_ = std::thread([this] { run(); });
}

void Reception::stop() {
  if (thread_.joinable()) thread_.join();
}

void Reception::run() {
  ::pthread_setname_np(::pthread_self(), "http-wait");
  std::array<epoll_event, 64> events{};
  for (int turn = 1;; ++turn) {
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), kSweepMs);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == stop_fd_) return;
      if (fd == listener_.fd()) {
        accept_all();
      } else {
        on_ready(fd);
      }
    }
    // Whenever nothing happens for a while, and when something always does, now and then.
    if (count <= 0 || turn % kTurnsPerSweep == 0) end_overdue();
  }
}

void Reception::accept_all() {
  try {
    for (int i = 0; i < kAcceptsPerTurn; ++i) {
      Fd socket = listener_.accept();
      if (!socket) return;
      admit(std::move(socket));
    }
  } catch (const std::exception& error) {
    callbacks_.log(std::string("cannot take a connection: ") + error.what());
    {
      const std::lock_guard lock(mutex_);
      dismiss_longest_waiting([](const Guest&) { return true; });
    }
    pollfd stop{stop_fd_, POLLIN, 0};
    ::poll(&stop, 1, kAcceptPauseMs);
  }
}

void Reception::admit(Fd socket) {
  const std::lock_guard lock(mutex_);
  const auto connection = std::make_shared<Connection>(std::move(socket), callbacks_.certificates(), stop_fd_);
  const int fd = connection->fd();
  const std::string& address = connection->peer().address;
  // At a unix socket the kernel says who it is, and the file's mode who may.
  if (!connection->peer().uid && per_address_[address] >= kConnectionsPerAddress) {
    dismiss_longest_waiting([&](const Guest& guest) { return guest.connection->peer().address == address; });
  }
  if (guests_.size() >= kConnectionsMax) dismiss_longest_waiting([](const Guest&) { return true; });
  if (guests_.size() >= kConnectionsMax) return;  // every one is being served right now
  epoll_event event{0, {.fd = fd}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) throw_errno("epoll_ctl add");
  ++per_address_[address];
  auto& guest = guests_[fd];
  guest.connection = connection;
  connection->deadline = clock_.steady() + kRequestTime;
  if (connection->is_greeted()) return on_input(guest);
  watch(guest, Phase::kGreeting);
}

void Reception::on_ready(int fd) {
  const std::lock_guard lock(mutex_);
  const auto found = guests_.find(fd);
  if (found == guests_.end()) return;
  auto& guest = found->second;
  if (guest.phase == Phase::kGreeting) {
    pass_to_greeter(guest);
  } else if (guest.phase == Phase::kReading) {
    on_input(guest);
  } else if (guest.phase == Phase::kWriting) {
    on_output(guest);
  } else if (guest.phase == Phase::kDraining) {
    if (!guest.connection->discard()) return dismiss(fd);
    watch(guest, Phase::kDraining);
  }
}

void Reception::pass_to_greeter(Guest& guest) {
  guest.with_worker = true;
  if (!callbacks_.greet(guest.connection)) dismiss(guest.connection->fd());
}

void Reception::greeted(const ConnectionPtr& connection, bool intact) {
  const std::lock_guard lock(mutex_);
  const auto found = guests_.find(connection->fd());
  if (found == guests_.end() || found->second.connection != connection) return;
  auto& guest = found->second;
  guest.with_worker = false;
  if (!intact) return dismiss(connection->fd());
  if (!connection->is_greeted()) return watch(guest, Phase::kGreeting);
  guest.phase = Phase::kReading;
  on_input(guest);
}

void Reception::on_input(Guest& guest) {
  auto& connection = *guest.connection;
  const bool had_input = connection.has_input();
  const auto input = connection.receive();
  if (!had_input && connection.has_input()) connection.deadline = clock_.steady() + kRequestTime;
  if (input == Connection::Input::kWaiting && connection.take_expectation()) {
    connection.append_output("HTTP/1.1 100 Continue\r\n\r\n");
    if (!connection.flush()) return dismiss(connection.fd());
  }
  go_on(guest);
}

void Reception::on_output(Guest& guest) {
  auto& connection = *guest.connection;
  if (!connection.flush()) return dismiss(connection.fd());
  if (connection.has_output()) {
    connection.deadline = std::min(clock_.steady() + kReaderPatience, connection.waits_since + kAnswerTime);
    return watch(guest, Phase::kWriting);
  }
  if (guest.after == After::kNextRequest && connection.next_request() == Connection::Input::kWaiting) {
    connection.receive();
  }
  connection.deadline = clock_.steady() + (connection.has_input() ? kRequestTime : kKeepAliveTime);
  go_on(guest);
}

// Nothing is left to send, but for the interim answer of on_input().
void Reception::go_on(Guest& guest) {
  auto& connection = *guest.connection;
  const int fd = connection.fd();
  if (guest.after != After::kNextRequest) {
    connection.finish();
    if (guest.after == After::kClose) return dismiss(fd);
    connection.deadline = clock_.steady() + kDrainTime;
    return watch(guest, Phase::kDraining);
  }
  if (connection.input() == Connection::Input::kWaiting) return watch(guest, Phase::kReading);
  if (connection.input() == Connection::Input::kEnded && !connection.has_input()) return dismiss(fd);
  pass_on(guest);
}

void Reception::pass_on(Guest& guest) {
  guest.phase = Phase::kServing;
  guest.with_worker = true;
  count_bytes(guest);
  if (!callbacks_.serve(guest.connection)) dismiss(guest.connection->fd());
}

void Reception::hand_back(const ConnectionPtr& connection, After after) {
  const auto now = clock_.steady();
  const bool intact = connection->flush();
  const bool sent = intact && !connection->has_output();
  if (sent && after == After::kNextRequest && connection->next_request() == Connection::Input::kWaiting) {
    connection->receive();  // TLS may hold some already, of which epoll knows nothing
  }
  const std::lock_guard lock(mutex_);
  const auto found = guests_.find(connection->fd());
  if (found == guests_.end() || found->second.connection != connection) return;
  auto& guest = found->second;
  guest.with_worker = false;
  guest.after = after;
  if (!intact) return dismiss(connection->fd());
  connection->deadline = now + (sent && !connection->has_input() ? kKeepAliveTime : kRequestTime);
  if (sent) return go_on(guest);
  watch(guest, Phase::kWriting);
}

void Reception::watch(Guest& guest, Phase phase) {
  auto& connection = *guest.connection;
  if (guest.phase != phase || guest.turn == 0) {
    guest.turn = ++turns_;
    connection.waits_since = clock_.steady();
  }
  guest.phase = phase;
  const auto events = static_cast<std::uint32_t>(connection.waits_for()) | EPOLLONESHOT;
  epoll_event event{events, {.fd = connection.fd()}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.fd(), &event) != 0) return dismiss(connection.fd());
  count_bytes(guest);
  keep_within_bounds(guest);
}

// While a worker has it, only the worker may look at its buffers.
void Reception::count_bytes(Guest& guest) {
  const std::size_t bytes = guest.with_worker ? 0 : guest.connection->buffered_bytes();
  buffered_bytes_ += bytes - std::exchange(guest.counted_bytes, bytes);
}

void Reception::keep_within_bounds(const Guest& newest) {
  const int fd = newest.connection->fd();
  while (buffered_bytes_ > kBufferedBytesMax) {
    const auto before = guests_.size();
    dismiss_longest_waiting(
        [&](const Guest& guest) { return guest.connection->fd() != fd && guest.counted_bytes > kFairBytes; });
    if (guests_.size() == before) return dismiss(fd);
  }
}

void Reception::dismiss(int fd) {
  const auto found = guests_.find(fd);
  if (found == guests_.end()) return;
  const auto connection = found->second.connection;
  buffered_bytes_ -= found->second.counted_bytes;
  const auto address = per_address_.find(connection->peer().address);
  if (address != per_address_.end() && --address->second == 0) per_address_.erase(address);
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  guests_.erase(found);
}

template <typename Choice>
void Reception::dismiss_longest_waiting(const Choice& may_go) {
  int longest = -1;
  std::uint64_t first = turns_ + 1;
  for (const auto& [fd, guest] : guests_) {
    if (guest.with_worker || guest.turn >= first || !may_go(guest)) continue;
    first = guest.turn;
    longest = fd;
  }
  dismiss(longest);
}

void Reception::end_overdue() {
  const std::lock_guard lock(mutex_);
  const auto now = clock_.steady();
  std::vector<int> overdue;
  for (const auto& [fd, guest] : guests_) {
    if (!guest.with_worker && guest.connection->deadline <= now) overdue.push_back(fd);
  }
  for (const int fd : overdue) {
    auto& guest = guests_.at(fd);
    if (guest.phase == Phase::kReading && guest.connection->has_input()) {
      guest.connection->give_up();
      pass_on(guest);
    } else {
      dismiss(fd);
    }
  }
}

}  // namespace writecanary::api
