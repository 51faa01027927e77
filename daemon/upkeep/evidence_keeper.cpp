#include "daemon/upkeep/evidence_keeper.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <set>
#include <tuple>

#include "core/base/error.h"

namespace writecanary::daemon {
namespace {

namespace fs = std::filesystem;

// A step takes the loop a few milliseconds.
constexpr int kPerStep = 20;

// What cannot be read counts nothing: a disk that fails does not end the daemon.
std::uint64_t size_of_files(const fs::path& directory) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code gone;
    const bool is_file = fs::is_regular_file(entry->symlink_status(gone));
    const std::uint64_t size = is_file ? entry->file_size(gone) : 0;
    if (!gone) bytes += size;
  }
  return bytes;
}

}  // namespace

std::vector<std::int64_t> surplus_evidence(std::vector<KeptEvidence> kept, std::uint64_t bytes_max) {
  std::ranges::sort(kept, std::greater{}, &KeptEvidence::run_id);
  std::set<std::string> seen;
  std::vector<std::tuple<bool, std::int64_t, std::uint64_t>> order;  // only case of its kind, run, bytes
  std::uint64_t total = 0;
  for (const auto& each : kept) {
    order.emplace_back(seen.insert(each.of).second, each.run_id, each.bytes);
    total += each.bytes;
  }
  std::ranges::sort(order);
  std::vector<std::int64_t> surplus;
  for (const auto& [latest, run_id, bytes] : order) {
    if (total <= bytes_max) break;
    surplus.push_back(run_id);
    total -= bytes;
  }
  return surplus;
}

bool EvidenceKeeper::step(std::uint64_t bytes_max) {
  if (to_look_at_.empty()) list();
  for (int i = 0; i < kPerStep && !to_look_at_.empty(); ++i) {
    look_at(to_look_at_.back());
    to_look_at_.pop_back();
  }
  if (!to_look_at_.empty()) return true;
  drop_unkept();
  if (bytes() <= bytes_max) return false;
  std::vector<KeptEvidence> all;
  for (const auto& [run_id, evidence] : kept_) all.push_back(evidence);
  const auto surplus = surplus_evidence(std::move(all), bytes_max);
  const std::size_t now = std::min<std::size_t>(surplus.size(), kPerStep);
  for (std::size_t i = 0; i < now; ++i) remove(surplus[i]);
  spdlog::info("removed the evidence of {} runs: there was more than storage.max_evidence ({} bytes)", now, bytes_max);
  return now < surplus.size();
}

// Findings that their incident only counts are no longer there to show the evidence of.
void EvidenceKeeper::drop_unkept() {
  const auto wanted = reader_.runs_with_findings();
  std::vector<std::int64_t> unwanted;
  for (const auto& [run_id, evidence] : kept_) {
    if (!wanted.contains(run_id)) unwanted.push_back(run_id);
  }
  for (const auto run_id : unwanted) remove(run_id);
}

void EvidenceKeeper::claim(const std::string& database_id) {
  owner_.claim(database_id);
  list();
}

void EvidenceKeeper::list() {
  aside_.clear();
  std::error_code error;
  for (fs::directory_iterator entry(root_, error), end; !error && entry != end; entry.increment(error)) {
    const auto name = entry->path().filename().string();
    if (is_set_aside(name)) aside_.insert(entry->path().string());
    const auto id = evidence_run(name);
    if (id && !kept_.contains(*id)) to_look_at_.push_back(*id);
  }
}

// That of a run that has not finished is looked at again later.
void EvidenceKeeper::look_at(std::int64_t run_id) {
  const auto run = reader_.run(run_id);
  if (!run) return set_aside(run_id);
  if (run->state != RunState::kFinished) return;
  kept_[run_id] = {run_id, size_of_files(fs::path(root_) / std::to_string(run_id)),
                   run->target + '\n' + run->result.profile + '\n' + run->result.kernel.release};
}

void EvidenceKeeper::set_aside(std::int64_t run_id) {
  try {
    owner_.set_aside(run_id);
  } catch (const SystemError& error) {
    if (immovable_.insert(run_id).second) spdlog::error("{}; it stays where it is", error.what());
  }
}

void EvidenceKeeper::remove(std::int64_t run_id) {
  const auto path = root_ + "/" + std::to_string(run_id);
  std::error_code failure;
  fs::remove_all(path, failure);
  if (failure) spdlog::warn("cannot remove {}: {}", path, failure.message());
  kept_.erase(run_id);
}

std::uint64_t EvidenceKeeper::bytes() const {
  return std::accumulate(kept_.begin(), kept_.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& each) { return sum + each.second.bytes; });
}

}  // namespace writecanary::daemon
