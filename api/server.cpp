#include "api/server.h"

#include <fmt/format.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "api/events/stream_slots.h"
#include "api/http/http_engine.h"
#include "api/http/listener.h"
#include "api/http/reception.h"
#include "api/http/worker_pool.h"
#include "api/refusal/limits.h"
#include "api/routes/routes.h"
#include "core/base/error.h"

namespace writecanary::api {
namespace {

Fd make_event() {
  Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) throw_errno("eventfd");
  return event;
}

// What a watcher asks, which must be answered however busy the rest is.
bool is_vital(std::string_view request) {
  constexpr std::array<std::string_view, 3> kPaths = {"GET /metrics", "GET /healthz", "GET /readyz"};
  return std::ranges::any_of(kPaths, [request](std::string_view path) {
    return request.starts_with(path) && request.substr(path.size()).starts_with(' ');
  });
}

}  // namespace

struct Server::State {
  State(ServerOptions given_options, Services given_services)
      : options(std::move(given_options)), services(given_services), address(parse_listen_address(options.listen)) {
    access.publish(options.access);
  }

  void start();
  void stop();
  bool take(const ConnectionPtr& connection);
  bool greet(const ConnectionPtr& connection);
  void serve(const ConnectionPtr& connection);

  const ServerOptions options;
  const Services services;
  const ListenAddress address;
  AccessBoard access;
  StreamSlots streams{kStreamsMax};
  Fd stop_event;  // readable once stopping; never read
  // From start() to stop().
  std::optional<Listener> listener;
  std::optional<Router> router;
  std::optional<HttpEngine> engine;
  std::optional<WorkerPool> workers;
  std::optional<WorkerPool> vital_workers;
  std::optional<WorkerPool> greeters;
  std::optional<Reception> reception;

 private:
  std::string log_line(const Request& request, const Response& response) const;
};

std::string Server::State::log_line(const Request& request, const Response& response) const {
  const std::chrono::duration<double, std::milli> taken = services.clock.steady() - request.started;
  // The target as it came: undecoded, it cannot break the line.
  return fmt::format("{} {} {} {:.1f}ms {} {}", request.method.empty() ? "-" : request.method,
                     request.target.empty() ? "-" : request.target, response.status, taken.count(),
                     client_of(request, access.get()->trusted_proxies()).address, response.header("X-Request-Id"));
}

void Server::State::start() {
  WC_CHECK(!listener);
  stop_event = make_event();
  listener.emplace(address);
  router.emplace(all_routes({services, options.evidence_root, &streams}),
                 RequestGuard(address.host, address.is_unix(), listener->is_local(), access), services.commands,
                 services.clock, options.access_log);
  router->set_reads_per_second(access.get()->reads_per_second());
  engine.emplace(
      services.clock, [this](const Request& request, Response& response) { router->dispatch(request, response); },
      [this](const Request& request, const Response& response) { options.access_log(log_line(request, response)); });
  workers.emplace("http-serve", kThreadsMax, kConnectionsMax);
  vital_workers.emplace("http-vital", kVitalThreadsMax, kConnectionsMax);
  greeters.emplace("http-tls", kTlsThreadsMax, kConnectionsMax);
  reception.emplace(
      *listener, services.clock, stop_event.get(),
      Reception::Callbacks{[this](const ConnectionPtr& connection) { return take(connection); },
                           [this] { return access.get()->tls(); },
                           [this](const ConnectionPtr& connection) { return greet(connection); }, options.access_log});
  reception->start();
}

bool Server::State::take(const ConnectionPtr& connection) {
  return (is_vital(connection->request()) ? vital_workers : workers)->submit([this, connection] { serve(connection); });
}

bool Server::State::greet(const ConnectionPtr& connection) {
  return greeters->submit([this, connection] { reception->greeted(connection, connection->greet()); });
}

void Server::State::serve(const ConnectionPtr& connection) {
  const auto after = engine->serve(*connection);
  reception->hand_back(connection, after);
}

void Server::State::stop() {
  if (!listener) return;
  engine->close();
  const std::uint64_t one = 1;
  write_all(stop_event.get(), {reinterpret_cast<const char*>(&one), sizeof(one)});
  reception->stop();
  workers->stop();
  vital_workers->stop();
  greeters->stop();
  reception.reset();
  greeters.reset();
  vital_workers.reset();
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

void Server::set_access(std::shared_ptr<const Access> access) {
  if (state_->router) state_->router->set_reads_per_second(access->reads_per_second());
  state_->access.publish(std::move(access));
}

std::string Server::url() const {
  const auto& address = state_->listener ? state_->listener->address() : state_->address;
  if (address.is_unix()) return address.text();
  return (state_->access.get()->tls() ? "https://" : "http://") + address.text();
}

bool Server::is_exposed() const { return state_->listener && !state_->listener->is_local(); }

}  // namespace writecanary::api
