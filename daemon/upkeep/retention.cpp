#include "daemon/upkeep/retention.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace writecanary::daemon {
namespace {

// A batch takes the loop a few milliseconds.
constexpr int kBatch = 100;
// However large the database is, what happened within the last hour can be looked at.
constexpr std::chrono::hours kAlwaysKept{1};
// Counting reads an index through, and the count changes slowly.
constexpr std::chrono::minutes kCountInterval{5};
// An incident is some hundred bytes: what a kernel had can be looked up for as long as the kernel may come back.
constexpr std::chrono::hours kResolvedKept{5 * 365 * 24};

}  // namespace

bool Retention::step(const Config& config, const Time& time) {
  // First: each run with findings leaves space to give back, and where they follow each other the files would wait.
  const bool more_evidence = evidence_.step(config.evidence_bytes_max);
  // Then space, so that what is judged below is what is needed.
  if (store_.give_space_back()) return true;
  const auto removed = remove_some(config, time);
  if (!removed.empty()) spdlog::info("removed {} old runs from the database", removed.size());
  return !removed.empty() || more_evidence || store_.thin_findings();
}

std::vector<std::int64_t> Retention::removable(const Config& config, const Time& time) const {
  const auto now_ms = to_unix_ms(time.now);
  if (time.sure) {
    auto old = store_.removable_runs(to_unix_ms(time.now - config.keep_runs), now_ms, kBatch);
    if (!old.empty()) return old;
  }
  const bool too_many = runs_ > config.runs_max || store_.size_bytes() > config.storage_bytes_max;
  if (!too_many) return {};
  return store_.removable_runs(to_unix_ms(time.now - kAlwaysKept), now_ms, kBatch);
}

std::vector<std::int64_t> Retention::remove_some(const Config& config, const Time& time) {
  if (!runs_counted_ || time.steady - *runs_counted_ >= kCountInterval) {
    runs_ = store_.run_count();
    runs_counted_ = time.steady;
  }
  auto ids = removable(config, time);
  // The evidence first: without its run nobody would know any more whose it was.
  for (const auto id : ids) evidence_.remove(id);
  store_.remove_runs(ids);
  if (time.sure) {
    store_.remove_events_before(to_unix_ms(time.now - config.keep_runs), kBatch);
    store_.remove_incidents_before(
        to_unix_ms(time.now - std::max<decltype(config.keep_runs)>(config.keep_runs, kResolvedKept)));
  }
  runs_ -= std::min<std::uint64_t>(runs_, ids.size());
  return ids;
}

std::vector<std::string> Retention::notices() const {
  std::vector<std::string> notices;
  for (const auto& folder : evidence_.set_aside()) {
    notices.push_back(folder + " holds evidence of runs that this database does not have. Move it away or remove it");
  }
  return notices;
}

}  // namespace writecanary::daemon
