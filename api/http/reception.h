// Where connections wait: for their first byte, for the rest of a request, for a reader that takes its time. One thread
// does all the waiting, so that workers are only ever given whole requests and hand back whole answers: a thousand
// dawdling clients cost some memory and no threads. What takes CPU time is for workers, TLS handshakes too.
//
// When there is no room for another connection, the one that has kept waiting longest makes room: an address that
// opens too many loses its own oldest first. When requests and answers that wait take too much memory, those go that
// hold more than their share. So whoever connects and asks at once is always served.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "api/http/connection.h"
#include "api/http/listener.h"
#include "api/http/tls.h"
#include "core/base/clock.h"
#include "core/base/fd.h"

namespace writecanary::api {

using ConnectionPtr = std::shared_ptr<Connection>;

class Reception {
 public:
  struct Callbacks {
    // A request is there, or cannot be had (Connection::input). Must hand the connection back or drop it; false when
    // it cannot be taken. Called on the reception's thread, or on the thread that hands a connection back.
    std::function<bool(ConnectionPtr)> serve;
    // The certificates for a connection that begins now; null: in the clear.
    std::function<std::shared_ptr<const TlsContext>()> certificates;
    // A step of a TLS handshake is to be made (Connection::greet) and reported to greeted(). False when it cannot be.
    std::function<bool(ConnectionPtr)> greet;
    std::function<void(const std::string&)> log;
  };

  // All must outlive this.
  Reception(const Listener& listener, const Clock& clock, int stop_fd, Callbacks callbacks);
  ~Reception() { stop(); }
  Reception(const Reception&) = delete;
  Reception& operator=(const Reception&) = delete;

  // Takes connections until it is stopped.
  void start();
  // Once stop_fd is readable: ends the thread; connections may still be handed back. Idempotent.
  void stop();
  // What came of a handshake's step. Any thread.
  void greeted(const ConnectionPtr& connection, bool intact);
  // The answer stands in the connection's output. Any thread.
  void hand_back(const ConnectionPtr& connection, After after);

 private:
  enum class Phase { kGreeting, kReading, kServing, kWriting, kDraining };
  struct Guest {
    ConnectionPtr connection;
    Phase phase = Phase::kReading;
    bool with_worker = false;  // who alone may touch the connection: while it is served, and at a handshake's step
    After after = After::kNextRequest;
    std::uint64_t turn = 0;         // since when it waits, in the order in which connections began to
    std::size_t counted_bytes = 0;  // in buffered_bytes_
  };
  using Guests = std::unordered_map<int, Guest>;  // by descriptor

  void run();
  void accept_all();
  void admit(Fd socket);
  void on_ready(int fd);
  void pass_to_greeter(Guest& guest);
  void on_input(Guest& guest);
  void on_output(Guest& guest);
  void go_on(Guest& guest);
  void pass_on(Guest& guest);
  void watch(Guest& guest, Phase phase);
  void count_bytes(Guest& guest);
  void dismiss(int fd);
  template <typename Choice>  // bool(const Guest&)
  void dismiss_longest_waiting(const Choice& may_go);
  void keep_within_bounds(const Guest& newest);
  void end_overdue();

  const Listener& listener_;
  const Clock& clock_;
  const int stop_fd_;
  const Callbacks callbacks_;
  Fd epoll_;
  std::mutex mutex_;
  Guests guests_;                                             // guarded by mutex_
  std::unordered_map<std::string, std::size_t> per_address_;  // guarded by mutex_
  std::uint64_t turns_ = 0;                                   // guarded by mutex_
  std::size_t buffered_bytes_ = 0;                            // guarded by mutex_, of those that wait
  std::thread thread_;
};

}  // namespace writecanary::api
