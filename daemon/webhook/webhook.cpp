#include "daemon/webhook/webhook.h"

#include <fmt/format.h>
#include <httplib.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <stdexcept>
#include <utility>

#include "core/base/fd.h"
#include "core/base/version.h"
#include "daemon/webhook/cloud_event.h"

namespace writecanary::daemon {
namespace {

constexpr std::chrono::milliseconds kFirstWait{1000};
constexpr std::chrono::milliseconds kLongestWait{std::chrono::minutes{5}};
// How soon a new event is noticed.
constexpr std::chrono::milliseconds kLook{1000};
constexpr std::chrono::seconds kConnectTimeout{5};
constexpr std::chrono::seconds kAnswerTimeout{10};
constexpr int kBatch = 50;
// As much as receivers grant (Standard Webhooks).
constexpr std::chrono::minutes kTimeTolerated{5};
// The receiver has understood the request and will not take this event, however often it is sent.
constexpr std::array kNeverTaken = {400, 413, 415, 422};

// "https://host:1" and "/path?query".
std::pair<std::string, std::string> split(const std::string& url) {
  const auto path = url.find_first_of("/?", url.find("://") + 3);
  if (path == std::string::npos) return {url, "/"};
  return {url.substr(0, path), (url[path] == '?' ? "/" : "") + url.substr(path)};
}

}  // namespace

std::optional<WebhookTarget> load_webhook(const WebhookConfig& config) {
  if (config.url.empty()) return std::nullopt;
  std::string secret = read_file(config.secret_file);
  secret.erase(secret.find_last_not_of(" \t\r\n") + 1);
  if (secret.empty()) {
    throw std::runtime_error(
        fmt::format("webhook.secret_file {} is empty. Put a secret of 32 or more random "
                    "characters into it: openssl rand -hex 32",
                    config.secret_file));
  }
  try {
    webhook_signature(secret, "", 0, "");
  } catch (const std::invalid_argument& error) {
    throw std::runtime_error(fmt::format("webhook.secret_file {}: {}", config.secret_file, error.what()));
  }
  return WebhookTarget{config.url, std::move(secret)};
}

bool is_final(int status, const std::string& date, SystemTime signed_time, bool suspect) {
  if (suspect || std::ranges::find(kNeverTaken, status) == kNeverTaken.end()) return false;
  std::tm parts{};
  if (::strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts) == nullptr) return true;
  const auto theirs = std::chrono::system_clock::from_time_t(::timegm(&parts));
  return std::chrono::abs(theirs - signed_time) <= kTimeTolerated;
}

std::chrono::milliseconds webhook_wait(int failures) {
  auto wait = kFirstWait;
  for (int i = 1; i < failures && wait < kLongestWait; ++i) wait *= 2;
  return std::min(wait, kLongestWait);
}

Webhook::Webhook(EventLoop& loop, storage::Store& store, const storage::Reader& reader, const Clock& clock,
                 const ClockWatch& watch, std::string host)
    : store_(store), reader_(reader), clock_(clock), clock_watch_(watch), host_(std::move(host)) {
  watch_ = loop.watch(wake_up_.fd(), EPOLLIN, [this] {
    wake_up_.clear();
    settle();
  });
}

Webhook::~Webhook() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (client_ != nullptr) client_->stop();
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Webhook::configure(std::optional<WebhookTarget> target) {
  keeps_ = target.has_value();
  store_.keep_outbox(keeps_);
  {
    const std::lock_guard lock(mutex_);
    target_ = std::move(target);
  }
  changed_.notify_all();
  if (keeps_ && !thread_.joinable()) thread_ = std::thread([this] { run(); });
  settle();
}

void Webhook::settle() {
  std::vector<std::int64_t> ids;
  {
    const std::lock_guard lock(mutex_);
    ids.swap(delivered_);
  }
  try {
    while (!ids.empty()) {
      store_.remove_from_outbox(ids.front());
      ids.erase(ids.begin());
    }
    pending_ = keeps_ ? store_.outbox_size() : 0;
  } catch (const storage::StorageError& error) {
    spdlog::error("{}", error.what());
    const std::lock_guard lock(mutex_);
    delivered_.insert(delivered_.begin(), ids.begin(), ids.end());
  }
}

bool Webhook::wait(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, time, [this] { return stopping_; });
  return !stopping_;
}

void Webhook::run() {
  std::int64_t last = 0;
  int failures = 0;
  std::chrono::milliseconds pause{0};
  while (wait(pause)) {
    std::vector<storage::EventRow> waiting;
    std::optional<WebhookTarget> target;
    {
      const std::lock_guard lock(mutex_);
      target = target_;
    }
    try {
      if (target) waiting = reader_.outbox_after(last, kBatch);
    } catch (const storage::StorageError& error) {
      spdlog::error("webhook: {}", error.what());
    }
    // A failure ends the batch, so that a changed configuration is used for the next attempt.
    for (const auto& event : waiting) {
      if (!deliver(event, *target, failures)) {
        ++failures;
        break;
      }
      failures = 0;
      last = event.id;
      {
        const std::lock_guard lock(mutex_);
        delivered_.push_back(event.id);
      }
      wake_up_.signal();
    }
    const bool more = waiting.size() == static_cast<std::size_t>(kBatch);
    pause = failures > 0 ? webhook_wait(failures) : more ? std::chrono::milliseconds{0} : kLook;
  }
}

bool Webhook::deliver(const storage::EventRow& event, const WebhookTarget& target, int failures) {
  const auto [origin, path] = split(target.url);
  const auto id = cloud_event_id(event);
  const auto body = cloud_event(event, host_);
  // While the clock is suspect, attempts take turns between what it should say and what it says.
  const bool suspect = clock_watch_.suspect();
  const auto time = suspect && failures % 2 == 1 ? clock_.now() : clock_watch_.believed();
  const auto seconds = to_unix_ms(time) / 1000;
  httplib::Client client(origin);
  client.set_connection_timeout(kConnectTimeout);
  client.set_read_timeout(kAnswerTimeout);
  client.set_write_timeout(kAnswerTimeout);
  const httplib::Headers headers = {{"User-Agent", fmt::format("writecanary/{}", kVersion)},
                                    {"webhook-id", id},
                                    {"webhook-timestamp", fmt::format("{}", seconds)},
                                    {"webhook-signature", webhook_signature(target.secret, id, seconds, body)}};
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    client_ = &client;
  }
  const auto result = client.Post(path, headers, body, "application/cloudevents+json");
  {
    const std::lock_guard lock(mutex_);
    client_ = nullptr;
    if (stopping_ && !result) return false;
  }
  if (result && result->status >= 200 && result->status < 300) return true;
  const std::string why = result ? fmt::format("status {}", result->status) : httplib::to_string(result.error());
  if (result && is_final(result->status, result->get_header_value("Date"), time, suspect || clock_watch_.suspect())) {
    spdlog::error("webhook: {} does not take event {} ({}): {}; it is not sent again", shown_address(target.url), id,
                  event.type, why);
    return true;
  }
  spdlog::warn("webhook: event {} ({}) could not be delivered to {}: {}; the next attempt is in {} s", id, event.type,
               shown_address(target.url), why, webhook_wait(failures + 1).count() / 1000);
  return false;
}

}  // namespace writecanary::daemon
