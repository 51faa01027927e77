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
  return std::uint64_t{device()} << 32 | device();
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
