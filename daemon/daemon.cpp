#include "daemon/daemon.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <random>
#include <set>
#include <utility>

#include "core/base/error.h"
#include "core/host/host_facts.h"
#include "core/run/seed.h"
#include "daemon/config/identity.h"
#include "daemon/runs/leftovers.h"
#include "daemon/schedule/pressure_gate.h"
#include "daemon/upkeep/self_check.h"

namespace writecanary::daemon {
namespace {

constexpr std::chrono::seconds kBeat{1};
constexpr std::chrono::milliseconds kPublishInterval{100};
constexpr std::chrono::seconds kRetentionInterval{10};
constexpr std::chrono::seconds kStorageRetry{5};

std::uint64_t draw_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32 | device()) & kDrawnSeedMax;
}

std::unique_ptr<storage::Store> open_store(const Config& config) {
  std::error_code error;
  std::filesystem::create_directories(config.evidence_root(), error);
  if (error) {
    throw SystemError(
        fmt::format("make the directory {}; give another storage.path or --state-dir", config.evidence_root()),
        error.value());
  }
  return storage::Store::open(config.storage_path);
}

// Configured ones, and those that have counted something before.
std::vector<std::string> all_profiles(const Config& config) {
  std::set<std::string> names(config.defaults.profiles.begin(), config.defaults.profiles.end());
  for (const auto& target : config.targets)
    names.insert(target.settings.profiles.begin(), target.settings.profiles.end());
  return {names.begin(), names.end()};
}

std::vector<std::string> target_names(const Config& config) {
  std::vector<std::string> names;
  for (const auto& target : config.targets) names.push_back(target.name);
  return names;
}

}  // namespace

Daemon::Daemon(Prepared prepared)
    : prepared_(std::move(prepared)),
      config_(prepared_.loaded.config),
      store_(open_store(config_)),
      reader_(config_.storage_path),
      watch_(*store_, clock_, boot_id()),
      desk_({*store_, events_, metrics_, loop_, clock_, watch_, prepared_.cgroups, cgroup_prefix(config_.storage_path),
             prepared_.probe_program, config_.evidence_root(), draw_seed, RunPatience{}}),
      scheduler_(host_id()),
      commands_(desk_, *store_, metrics_, prepared_.catalogue, clock_, watch_),
      retention_(*store_, reader_, config_.evidence_root(), clock_.now()),
      webhook_(loop_, *store_, reader_, clock_, watch_, host_name()),
      mountinfo_(open_file("/proc/self/mountinfo", O_RDONLY)),
      beat_timer_(loop_, [this] { beat(); }) {
  facts_.started_at_ms = to_unix_ms(clock_.now());
  facts_.started = clock_.steady();
  facts_.pressure = {prepared_.cgroups.backend(), prepared_.cgroups.directory, prepared_.cgroups.reason};
  facts_.kernel = kernel_facts();
  facts_.config_path = prepared_.loaded.path;
  facts_.not_ready_reason = "starting";
  if (prepared_.cgroups.version == 0) {
    spdlog::warn("no memory cgroup can be made, so no run can be better than unexposed: {}", prepared_.cgroups.reason);
  }
  for (const auto& notice : store_->notices()) spdlog::error("{}", notice);
  retention_.begin();
  facts_.self_test = check_self(*store_, prepared_.probe_program, clock_.now());
  close_leftovers(config_, prepared_.cgroups, *store_, reader_, desk_, clock_.now());
  webhook_.configure(load_webhook(config_.webhook));
  configure_metrics();
}

Daemon::~Daemon() = default;

void Daemon::begin() {
  signal_watch_ = loop_.watch(prepared_.signals.fd(), EPOLLIN, [this] { take_signals(); });
  // The kernel reports every change of the mount table as an exceptional condition on this file
  // (proc_pid_mountinfo(5)).
  mount_watch_ = loop_.watch(mountinfo_.get(), EPOLLPRI, [this] { read_mounts(); });
  read_mounts();
  beat();
}

void Daemon::serve() {
  begin();
  scheduler_.configure(config_, clock_.now());
  mailbox_watch_ = loop_.watch(mailbox_.fd(), EPOLLIN, [this] {
    mailbox_.drain([this](const api::Caller& caller, const api::Command& command) {
      auto result = commands_.execute(caller, command);
      // Whoever asked looks at the state next.
      pass();
      publish();
      return result;
    });
  });
  // The evidence that it takes the place of goes at once: runs may follow each other in seconds.
  desk_.on_finished([this](const std::string&, const RunResult& result) {
    if (!result.findings.empty()) retention_due_ = {};
  });
  publish();
  api::ServerOptions options{config_.listen, config_.evidence_root(),
                             [](const std::string& line) { spdlog::debug("http: {}", line); },
                             std::make_shared<const api::Access>(access_rules(config_))};
  server_ = std::make_unique<api::Server>(
      std::move(options), api::Services{reader_, mailbox_, board_, events_, metrics_, prepared_.catalogue, clock_});
  server_->start();
  spdlog::info("listening on {}", server_->url());
  warn_of_open_doors();
  facts_.ready = true;
  facts_.not_ready_reason.clear();
  pass();
  publish();
  notifier_.ready(fmt::format("Watching {} targets, {}", config_.targets.size(), server_->url()));
  while (!stopping_) {
    loop_.run_once();
    pass();
  }
  shut_down();
}

void Daemon::warn_of_open_doors() const {
  if (!server_->is_exposed()) return;
  if (config_.tokens.empty() && config_.tls.client_ca.empty()) {
    spdlog::warn(
        "{} can be reached from other hosts and has no tokens: {}, nobody may change anything. Configure a [[token]] "
        "or "
        "server.client_ca, or listen on a loopback address or a unix socket",
        server_->url(),
        config_.anonymous_read ? "everyone may read (server.anonymous_read)"
                               : "nobody there may read more than its health and the page (server.anonymous_read)");
  } else if (config_.tls.certificate.empty()) {
    spdlog::warn("{}: tokens cross the network in the clear. Give server.tls_cert and server.tls_key", server_->url());
  }
}

void Daemon::take_signals() {
  while (const int number = prepared_.signals.take()) {
    if (number == SIGHUP && (!server_ || stopping_)) {
      spdlog::info("SIGHUP: nothing is reloaded {}", stopping_ ? "while the daemon ends" : "within a single round");
    } else if (number == SIGHUP) {
      reload();
    } else {
      spdlog::info("{}: ending", number == SIGTERM ? "SIGTERM" : "SIGINT");
      stopping_ = true;
    }
  }
}

void Daemon::reload() {
  notifier_.reloading();
  auto loaded = load_config(prepared_.options);
  for (const auto& issue : check_profiles(loaded.config, prepared_.catalogue)) {
    loaded.errors.push_back(describe(issue, loaded.path));
  }
  for (const auto& warning : loaded.warnings) spdlog::warn("{}", warning);
  if (loaded.errors.empty()) {
    try {
      // First what can fail, so that a reload is taken over whole or not at all.
      auto access = std::make_shared<const api::Access>(access_rules(loaded.config));
      take_over(std::move(loaded.config));
      server_->set_access(std::move(access));
      warn_of_open_doors();
    } catch (const std::runtime_error& error) {  // the database, a certificate, the webhook's secret
      loaded.errors.emplace_back(error.what());
    }
  }
  for (const auto& error : loaded.errors) spdlog::error("{}", error);
  facts_.reload_successful = loaded.errors.empty();
  facts_.reload_error = loaded.errors.empty() ? "" : loaded.errors.front();
  spdlog::info("{}", loaded.errors.empty() ? "configuration reloaded" : "the running configuration is kept");
  pass();
  publish();
  notifier_.ready(fmt::format("Watching {} targets", config_.targets.size()));
}

void Daemon::take_over(Config config) {
  if (config.listen != config_.listen || config.storage_path != config_.storage_path) {
    spdlog::warn("server.listen and storage.path take effect only at the next start of the daemon");
    config.listen = config_.listen;
    config.storage_path = config_.storage_path;
  }
  webhook_.configure(load_webhook(config.webhook));
  desk_.configure(config);
  for (const auto& line : differences(config_, config)) spdlog::info("configuration: {}", line);
  config_ = std::move(config);
  scheduler_.configure(config_, clock_.now());
  configure_metrics();
  read_mounts();
}

void Daemon::configure_metrics() {
  metrics_.configure(target_names(config_), all_profiles(config_), store_->totals());
  metrics_.configure_kernel(facts_.kernel.release, store_->totals_of_kernel(facts_.kernel.release));
  metrics_.set_open_incidents(store_->open_incidents());
}

void Daemon::read_mounts() {
  try {
    desk_.set_mounts(read_mountinfo());
  } catch (const SystemError& error) {
    spdlog::error("{}; the mount table as it was before is used", error.what());
  }
}

void Daemon::beat() {
  memory_pressure_ = read_memory_pressure();
  webhook_.settle();
  notifier_.alive(clock_.steady());
  beat_timer_.set(clock_.steady() + kBeat);
}

void Daemon::pass() {
  const auto now = clock_.steady();
  if (now < storage_retry_) return publish();
  try {
    prove_storage();
    watch_.look();
    plan_and_start();
    if (now >= retention_due_ && server_) {
      if (!watch_.suspect() && store_->reopen_due_incidents(to_unix_ms(watch_.believed()))) {
        metrics_.set_open_incidents(store_->open_incidents());
        desk_.publish_events();
      }
      const bool more = retention_.step(config_, {watch_.believed(), !watch_.suspect(), now});
      facts_.evidence_bytes = retention_.evidence_bytes();
      retention_due_ = now + (more ? kBeat : kRetentionInterval);
    }
    if (!facts_.ready && server_) {
      facts_.ready = true;
      facts_.not_ready_reason.clear();
    }
  } catch (const storage::StorageError& error) {
    // Results that could not be committed wait and are tried again; nothing new begins meanwhile.
    spdlog::error("{}", error.what());
    facts_.ready = false;
    facts_.not_ready_reason = error.what();
    storage_retry_ = now + kStorageRetry;
  }
  if (now - published_ >= kPublishInterval) publish();
}

// Whatever failed meanwhile, also in a thread of the API's or the webhook's: ready is who can write.
void Daemon::prove_storage() {
  const auto errors = storage::storage_errors_total();
  if (errors == storage_errors_seen_) return;
  store_->prove_writable();
  storage_errors_seen_ = errors;
}

void Daemon::plan_and_start() {
  if (stopping_) return;
  desk_.pass();
  const auto now = clock_.now();
  plan_ = scheduler_.plan(desk_.situation(), {desk_.free_slots(), memory_pressure_}, now);
  if (plan_.due.empty()) return;
  for (const auto& due : plan_.due) {
    RunOrder order;
    order.target = due.target;
    order.profile = due.profile;
    order.trigger = due.first ? "startup" : "schedule";
    desk_.order(order);
    // Only now: what the database did not take is due again.
    scheduler_.started(due.target, due.profile, now);
  }
  desk_.pass();
  plan_ = scheduler_.plan(desk_.situation(), {0, memory_pressure_}, now);
  publish();
}

void Daemon::publish() {
  facts_.webhook_pending = webhook_.pending();
  facts_.notices = store_->notices();
  std::ranges::copy(retention_.notices(), std::back_inserter(facts_.notices));
  facts_.storage_errors = storage::storage_errors_total();
  facts_.clock_suspect = watch_.suspect();
  std::ranges::copy(watch_.notices(), std::back_inserter(facts_.notices));
  const auto state = live_view(facts_, config_, desk_, plan_, clock_.steady());
  board_.publish(state);
  metrics_.mirror(*state, store_->size_bytes());
  published_ = clock_.steady();
}

void Daemon::shut_down() {
  // Worst case: a probe that hangs is told, killed and given up within three seconds.
  constexpr std::chrono::milliseconds kLimit{4000};
  notifier_.stopping();
  mailbox_.close();
  facts_.ready = false;
  facts_.not_ready_reason = "shutting down";
  desk_.shut_down();
  const auto end = clock_.steady() + kLimit;
  Timer limit(loop_, [] {});
  limit.set(end);
  desk_.pass();
  while (!desk_.settled() && clock_.steady() < end) {
    loop_.run_once();
    desk_.pass();
  }
  publish();
  events_.close();
  if (server_) server_->stop();
  spdlog::info("ended");
}

}  // namespace writecanary::daemon
