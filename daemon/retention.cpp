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
constexpr std::size_t kEvidencePerStep = 20;
// However large the database is, what happened within the last hour can be looked at.
constexpr std::chrono::hours kAlwaysKept{1};
// Counting reads an index through, and the count changes slowly.
constexpr std::chrono::minutes kCountInterval{5};

std::optional<std::int64_t> run_id_of(const std::filesystem::path& path) {
  const auto name = path.filename().string();
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
  if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return id;
}

}  // namespace

bool Retention::step(const Config& config, SystemTime now) {
  // First, so that what is judged below is what is needed.
  if (store_.give_space_back()) return true;
  const auto removed = remove_some(config, now);
  for (const auto id : removed) remove_evidence(id);
  if (!removed.empty()) spdlog::info("removed {} old runs from the database", removed.size());
  if (!evidence_listed_) list_evidence();
  look_for_orphans();
  return !removed.empty() || !evidence_to_check_.empty() || thin_out(config, now);
}

std::vector<std::int64_t> Retention::remove_some(const Config& config, SystemTime now) {
  if (now - runs_counted_ >= kCountInterval) {
    runs_ = store_.run_count();
    runs_counted_ = now;
  }
  auto removed = store_.remove_runs_before(to_unix_ms(now - config.keep_runs), kBatch);
  const bool too_many = runs_ > config.runs_max || store_.size_bytes() > config.storage_bytes_max;
  if (removed.empty() && too_many) removed = store_.remove_runs_before(to_unix_ms(now - kAlwaysKept), kBatch);
  runs_ -= std::min<std::uint64_t>(runs_, removed.size());
  return removed;
}

bool Retention::thin_out(const Config& config, SystemTime now) {
  const bool too_large = store_.size_bytes() > config.storage_bytes_max;
  const auto before = too_large ? now - kAlwaysKept : now - config.keep_runs;
  return store_.thin_findings_before(to_unix_ms(before));
}

void Retention::list_evidence() {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(evidence_root_, error)) {
    if (const auto id = run_id_of(entry.path())) evidence_to_check_.push_back(*id);
  }
  evidence_listed_ = true;
}

void Retention::look_for_orphans() {
  for (std::size_t i = 0; i < kEvidencePerStep && !evidence_to_check_.empty(); ++i) {
    const auto id = evidence_to_check_.back();
    if (!reader_.run(id)) remove_evidence(id);
    evidence_to_check_.pop_back();
  }
}

void Retention::remove_evidence(std::int64_t run_id) const {
  const auto path = evidence_root_ + "/" + std::to_string(run_id);
  std::error_code failure;
  std::filesystem::remove_all(path, failure);
  if (failure) spdlog::warn("cannot remove {}: {}", path, failure.message());
}

}  // namespace writecanary::daemon
