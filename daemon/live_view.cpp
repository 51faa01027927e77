#include "daemon/live_view.h"

#include "core/base/system_text.h"
#include "core/host/host_facts.h"
#include "daemon/runs/active_run.h"

namespace writecanary::daemon {
namespace {

api::LiveTarget live_target(const RunDesk::Desk& desk, std::vector<std::string> same_filesystem, const Plan& plan) {
  api::LiveTarget live;
  live.name = desk.config.name;
  live.path = system_name(desk.config.path);
  live.mounted = desk.mount.usable;
  if (live.mounted) live.filesystem = filesystem_facts(desk.mount.mount);
  live.tested = desk.tested;
  live.same_filesystem = std::move(same_filesystem);
  live.paused = desk.paused;
  live.paused_note = desk.paused_note;
  if (desk.active && !desk.active->result_committed) live.current_run = desk.active->run_id;
  for (const auto& run : desk.queue) live.queued_runs.push_back(run.id);
  live.bytes_today = desk.bytes_today;
  live.bytes_per_day_max = desk.config.settings.bytes_per_day_max;

  const auto planned = plan.targets.find(live.name);
  if (planned != plan.targets.end()) {
    live.state = planned->second.state;
    live.state_reason = planned->second.reason;
  }
  // The plan was made before the runs that it called for began.
  if (desk.busy() && !desk.stuck()) {
    live.state = "running";
    live.state_reason.clear();
  }
  for (const auto& profile : desk.config.settings.profiles) {
    api::LiveProfile next{profile, std::nullopt, desk.config.settings.every.count()};
    if (planned != plan.targets.end() && !desk.paused && !desk.stuck()) {
      const auto time = planned->second.next_runs.find(profile);
      if (time != planned->second.next_runs.end() && time->second) next.next_run_ms = to_unix_ms(*time->second);
    }
    live.profiles.push_back(std::move(next));
  }
  return live;
}

}  // namespace

std::shared_ptr<const api::LiveState> live_view(const DaemonFacts& facts, const Config& config, const RunDesk& desk,
                                                const Plan& plan, SteadyTime now) {
  auto state = std::make_shared<api::LiveState>();
  state->started_at_ms = facts.started_at_ms;
  state->started = facts.started;
  state->loop_beat = now;
  state->ready = facts.ready;
  state->not_ready_reason = facts.not_ready_reason;
  state->pressure = facts.pressure;
  state->kernel = facts.kernel;
  state->database_path = system_name(config.storage_path);
  state->database_bytes_max = config.storage_bytes_max;
  state->evidence_bytes = facts.evidence_bytes;
  state->evidence_bytes_max = config.evidence_bytes_max;
  state->config_path = system_name(facts.config_path);
  state->config_reload_successful = facts.reload_successful;
  state->config_reload_error = facts.reload_error;
  state->self_test = facts.self_test;
  state->webhook_pending = facts.webhook_pending;
  state->storage_errors = facts.storage_errors;
  state->clock_suspect = facts.clock_suspect;
  state->notices = facts.notices;
  state->alert_label = config.alert_label;
  state->alert_hosts = config.alert_hosts;
  state->alert_hosts.push_back(host_name());
  for (const auto& target : config.targets) {
    const auto* found = desk.find(target.name);
    if (found != nullptr) state->targets.push_back(live_target(*found, desk.on_same_filesystem(*found), plan));
  }
  state->runs = desk.live_runs();
  return state;
}

}  // namespace writecanary::daemon
