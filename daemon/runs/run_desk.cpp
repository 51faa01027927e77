#include "daemon/runs/run_desk.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/error.h"
#include "core/base/json_text.h"
#include "daemon/runs/active_run.h"

namespace writecanary::daemon {

RunDesk::Desk::Desk() = default;
RunDesk::Desk::Desk(Desk&&) noexcept = default;
RunDesk::Desk& RunDesk::Desk::operator=(Desk&&) noexcept = default;
RunDesk::Desk::~Desk() = default;

bool RunDesk::Desk::stuck() const {
  if (!leftovers.empty()) return true;
  return active && active->supervisor && active->supervisor->phase() == RunPhase::kStuck;
}

RunDesk::RunDesk(DeskServices services)
    : services_(std::move(services)), last_event_(services_.store.last_event_id()) {}

RunDesk::~RunDesk() = default;

void RunDesk::configure(const Config& config) {
  concurrent_max_ = static_cast<int>(config.concurrent_runs_max);
  std::vector<storage::TargetRow> rows;
  for (const auto& target : config.targets) rows.push_back({target.name, target.path, false, ""});
  services_.store.sync_targets(rows);

  for (auto& [name, desk] : desks_) desk.configured = false;
  for (const auto& target : config.targets) {
    const auto [found, is_new] = desks_.try_emplace(target.name);
    auto& desk = found->second;
    if (desk.needs_sweep && desk.config.path != target.path) {
      spdlog::warn("target {}: files of a run that was cut off may be left in {}/.writecanary, which is tested no more",
                   target.name, desk.config.path);
    }
    desk.config = target;
    desk.configured = true;
    if (is_new && budget_day_) count_bytes(desk);
  }
  for (const auto& row : services_.store.targets()) {
    const auto found = desks_.find(row.name);
    if (found == desks_.end()) continue;
    found->second.paused = row.paused;
    found->second.paused_note = row.paused_note;
  }
  for (auto& [name, desk] : desks_) {
    if (!desk.configured) end_queue(desk, Verdict::kStopped, "its target was removed from the configuration");
    if (desk.tested) continue;
    if (auto run = services_.store.last_run_with_facts(name)) desk.tested = {run->id, run->result.filesystem};
  }
  locate_targets();
  refresh_budgets();
}

void RunDesk::set_mounts(const std::vector<Mount>& mounts) {
  mounts_ = mounts;
  locate_targets();
}

void RunDesk::locate_targets() {
  for (auto& [name, desk] : desks_) desk.mount = locate(desk.config, mounts_);
}

void RunDesk::sweep_before_next(const std::string& target) {
  const auto found = desks_.find(target);
  if (found != desks_.end()) found->second.needs_sweep = true;
}

void RunDesk::hold_for_leftover(const std::string& target, const std::string& cgroup) {
  const auto found = desks_.find(target);
  if (found != desks_.end()) found->second.leftovers.push_back(cgroup);
}

const RunDesk::Desk* RunDesk::find(const std::string& target) const {
  const auto found = desks_.find(target);
  return found != desks_.end() && found->second.configured ? &found->second : nullptr;
}

namespace {

bool on_one_filesystem(const RunDesk::Desk& a, const RunDesk::Desk& b) {
  return !a.mount.mount.device.empty() && a.mount.mount.device == b.mount.mount.device;
}

}  // namespace

const RunDesk::Desk* RunDesk::holder_of(const Desk& desk) const {
  const auto holder = std::ranges::find_if(desks_, [&desk](const auto& entry) {
    const Desk& other = entry.second;
    return &other != &desk && on_one_filesystem(desk, other) && (other.active || other.stuck());
  });
  return holder == desks_.end() ? nullptr : &holder->second;
}

std::vector<std::string> RunDesk::on_same_filesystem(const Desk& desk) const {
  std::vector<std::string> names;
  for (const auto& [name, other] : desks_) {
    if (&other != &desk && other.configured && on_one_filesystem(desk, other)) names.push_back(name);
  }
  return names;
}

Situation RunDesk::situation() const {
  Situation situation;
  for (const auto& [name, desk] : desks_) {
    if (!desk.configured) continue;
    auto& target = situation[name];
    target.mounted = desk.mount.usable;
    target.mount_reason = desk.mount.reason;
    target.paused = desk.paused;
    target.paused_note = desk.paused_note;
    target.stuck = desk.stuck();
    if (target.stuck) {
      target.stuck_reason =
          "a process of the last probe hangs in the kernel and cannot be killed; no run begins here before it is gone. "
          "See its finding, /proc/PID/stack and the kernel log";
    }
    target.busy = desk.busy();
    if (const Desk* holder = holder_of(desk)) {
      target.held_reason = fmt::format("target \"{}\" is on the same filesystem, and a run {} there",
                                       holder->config.name, holder->stuck() ? "hangs" : "goes on");
    }
    target.bytes_today = desk.bytes_today;
  }
  return situation;
}

int RunDesk::free_slots() const {
  const auto active = std::ranges::count_if(desks_, [](const auto& entry) { return entry.second.active != nullptr; });
  // A stuck probe does nothing any more; it must not keep the other targets from being watched.
  const auto stuck = std::ranges::count_if(
      desks_, [](const auto& entry) { return entry.second.active != nullptr && entry.second.stuck(); });
  return shutting_down_ ? 0 : concurrent_max_ - static_cast<int>(active - stuck);
}

bool RunDesk::settled() const {
  return std::ranges::all_of(desks_, [](const auto& entry) {
    const auto& desk = entry.second;
    return desk.queue.empty() && (!desk.active || desk.active->result_committed);
  });
}

std::vector<api::LiveRun> RunDesk::live_runs() const {
  std::vector<api::LiveRun> runs;
  for (const auto& [name, desk] : desks_) {
    const auto* active = desk.active.get();
    if (active == nullptr || !active->run_id || active->result_committed) continue;
    runs.push_back({*active->run_id, name, active->spec.profile, active->started, active->progress});
  }
  return runs;
}

std::int64_t RunDesk::order(const RunOrder& order) {
  auto& desk = desks_.at(order.target);
  const auto seed = order.seed ? *order.seed : services_.draw_seed();
  storage::RunRow row;
  row.target = order.target;
  row.trigger = order.trigger;
  row.requested_by = order.requested_by;
  row.queued_at_ms = to_unix_ms(services_.clock.now());
  row.result.profile = order.profile;
  row.result.seed = seed;
  QueuedRun run{0, order, {}};
  run.id = services_.store.add_run(row, order.key, to_unix_ms(services_.watch.believed()), [&](std::int64_t id) {
    run.spec = make_spec(order, desk.config, id, seed, services_.evidence_root);
    return json_text(run.spec);
  });
  const auto id = run.id;
  desk.queue.push_back(std::move(run));
  publish_events();
  return id;
}

bool RunDesk::stop(std::int64_t run_id, const std::string& requested_by) {
  for (auto& [name, desk] : desks_) {
    if (desk.active && desk.active->run_id == run_id && desk.active->supervisor && !desk.active->result) {
      desk.active->supervisor->stop();
      return true;
    }
    const auto waiting = std::ranges::find(desk.queue, run_id, &QueuedRun::id);
    if (waiting == desk.queue.end()) continue;
    end_unstarted(name, *waiting, Verdict::kStopped,
                  requested_by.empty() ? "stopped before it began" : "stopped before it began, by " + requested_by);
    desk.queue.erase(waiting);
    return true;
  }
  return false;
}

void RunDesk::set_paused(const std::string& target, bool paused, const std::string& note) {
  services_.store.set_paused(target, paused, note, to_unix_ms(services_.clock.now()));
  auto& desk = desks_.at(target);
  desk.paused = paused;
  desk.paused_note = paused ? note : "";
  publish_events();
}

void RunDesk::shut_down() {
  shutting_down_ = true;
  for (auto& [name, desk] : desks_) {
    end_queue(desk, Verdict::kStopped, "the daemon was shut down before it began");
    if (desk.active && desk.active->supervisor) desk.active->supervisor->stop_in_haste();
  }
}

void RunDesk::publish_events() {
  constexpr int kBatch = 256;
  while (true) {
    const auto rows = services_.store.events_after(last_event_, kBatch);
    for (const auto& row : rows) {
      services_.events.publish({0, row.id, row.type, row.run_id, row.data_json});
      last_event_ = row.id;
    }
    if (rows.size() < kBatch) return;
  }
}

}  // namespace writecanary::daemon
