#include "api/server.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <array>
#include <optional>
#include <thread>
#include <utility>

#include "api/http_engine.h"
#include "api/limits.h"
#include "api/listener.h"
#include "api/routes.h"
#include "api/stream_slots.h"
#include "api/worker_pool.h"
#include "core/error.h"

namespace writecanary::api {
namespace {

// How long to wait when descriptors have run out, before looking again.
constexpr int kAcceptPauseMs = 100;

Fd make_event() {
  Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) throw_errno("eventfd");
  return event;
}

}  // namespace

struct Server::State {
  State(ServerOptions given_options, Services given_services)
      : options(std::move(given_options)), services(given_services), address(parse_listen_address(options.listen)) {}

  void start();
  void stop();
  void accept_connections();
  void accept_one();

  const ServerOptions options;
  const Services services;
  const ListenAddress address;
  StreamSlots streams{kStreamsMax};
  Fd stop_event;  // readable once stopping; never read
  // From start() to stop().
  std::optional<Listener> listener;
  std::optional<Router> router;
  std::optional<HttpEngine> engine;
  std::optional<WorkerPool> workers;
  std::thread acceptor;

 private:
  std::string log_line(const Exchange& exchange, const httplib::Request& request,
                       const httplib::Response& response) const;
};

std::string Server::State::log_line(const Exchange& exchange, const httplib::Request& request,
                                    const httplib::Response& response) const {
  const std::chrono::duration<double, std::milli> taken = services.clock.steady() - exchange.started;
  // The target as it came: undecoded, it cannot break the line.
  return fmt::format("{} {} {} {:.1f}ms {} {}", request.method.empty() ? "-" : request.method,
                     request.target.empty() ? "-" : request.target, response.status, taken.count(),
                     request.remote_addr.empty() ? "-" : request.remote_addr,
                     response.get_header_value("X-Request-Id"));
}

void Server::State::start() {
  WC_CHECK(!listener);
  stop_event = make_event();
  listener.emplace(address);
  router.emplace(all_routes({services, options.evidence_root, &streams}),
                 RequestGuard(address.host, address.is_unix(), listener->is_local()), options.access_log);
  engine.emplace(
      services.clock,
      [this](const Exchange& exchange, const httplib::Request& request, httplib::Response& response) {
        router->dispatch(exchange, request, response);
      },
      [this](const Exchange& exchange, const httplib::Request& request, const httplib::Response& response) {
        options.access_log(log_line(exchange, request, response));
      });
  workers.emplace(kThreadsMax, kWaitingConnectionsMax);
  acceptor = std::thread([this] { accept_connections(); });
}

void Server::State::accept_connections() {
  std::array<pollfd, 2> fds{{{listener->fd(), POLLIN, 0}, {stop_event.get(), POLLIN, 0}}};
  for (;;) {
    const int ready = ::poll(fds.data(), fds.size(), -1);
    if (fds[1].revents != 0) return;
    if (ready <= 0) continue;
    try {
      accept_one();
    } catch (const std::exception& error) {
      options.access_log(std::string("cannot take a connection: ") + error.what());
      ::poll(&fds[1], 1, kAcceptPauseMs);
    }
  }
}

void Server::State::accept_one() {
  const auto connection = std::make_shared<Fd>(listener->accept());
  if (!*connection) return;
  // When there is no room the connection is closed here: an answer would need a thread too.
  workers->submit([this, connection] {
    SocketStream stream(std::move(*connection), stop_event.get(), services.clock);
    engine->serve(stream, [this] { return !workers->crowded(); });
  });
}

void Server::State::stop() {
  if (!listener) return;
  engine->close();
  const std::uint64_t one = 1;
  write_all(stop_event.get(), {reinterpret_cast<const char*>(&one), sizeof(one)});
  if (acceptor.joinable()) acceptor.join();
  workers->stop();
  workers.reset();
  engine.reset();
  router.reset();
  listener.reset();
}

Server::Server(ServerOptions options, Services services)
    : state_(std::make_unique<State>(std::move(options), services)) {}

Server::~Server() { state_->stop(); }

void Server::start() { state_->start(); }

void Server::stop() { state_->stop(); }

std::string Server::url() const {
  return state_->listener ? state_->listener->url()
                          : (state_->address.is_unix() ? "" : "http://") + state_->address.text();
}

}  // namespace writecanary::api
