#include "daemon/retention.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

namespace writecanary::daemon {
namespace {

// A batch takes the loop a few milliseconds.
constexpr int kBatch = 100;
// However large the database is, what happened within the last hour can be looked at.
constexpr std::chrono::hours kAlwaysKept{1};

std::optional<std::int64_t> run_id_of(const std::filesystem::path& path) {
  const auto name = path.filename().string();
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return id;
}

}  // namespace

int Retention::step(const Config& config, SystemTime now) {
  int removed = store_.remove_runs_before(to_unix_ms(now - config.keep_runs), kBatch);
  if (removed == 0 && store_.size_bytes() > config.storage_bytes_max) {
    removed = store_.remove_runs_before(to_unix_ms(now - kAlwaysKept), kBatch);
  }
  if (removed > 0) spdlog::info("removed {} old runs from the database", removed);
  if (removed > 0 || !evidence_checked_) remove_orphaned_evidence();
  evidence_checked_ = true;
  return removed;
}

void Retention::remove_orphaned_evidence() const {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(evidence_root_, error)) {
    const auto id = run_id_of(entry.path());
    if (!id || reader_.run(*id)) continue;
    std::error_code failure;
    std::filesystem::remove_all(entry.path(), failure);
    if (failure) spdlog::warn("cannot remove {}: {}", entry.path().string(), failure.message());
  }
}

}  // namespace writecanary::daemon
