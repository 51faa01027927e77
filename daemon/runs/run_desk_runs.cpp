// The part of the run desk that starts runs and commits their ends.
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/error.h"
#include "core/base/json_text.h"
#include "daemon/config/identity.h"
#include "daemon/runs/active_run.h"
#include "daemon/runs/run_desk.h"

namespace writecanary::daemon {
namespace {

// However fast a probe talks, streams and page get no more than this.
constexpr std::chrono::milliseconds kProgressPublishInterval{100};

void add_bytes(std::uint64_t& sum, std::uint64_t bytes) {
  if (__builtin_add_overflow(sum, bytes, &sum)) sum = std::numeric_limits<std::uint64_t>::max();
}

// What a person has to look at now, what can wait, and what is only told.
spdlog::level::level_enum log_level(Verdict verdict) {
  if (verdict == Verdict::kCorrupt || verdict == Verdict::kStuck) return spdlog::level::err;
  return verdict == Verdict::kViolation ? spdlog::level::warn : spdlog::level::info;
}

std::string stuck_beside(const RunDesk::Desk& holder) {
  return fmt::format("a run on target \"{}\", which is on the same filesystem, is stuck in the kernel",
                     holder.config.name);
}

}  // namespace

void RunDesk::pass() {
  refresh_budgets();
  for (auto entry = desks_.begin(); entry != desks_.end();) {
    auto& desk = entry->second;
    if (desk.active) commit_result(desk);
    // Works once the last process of it is gone; a cgroup is no path on a target.
    std::erase_if(desk.leftovers,
                  [](const std::string& cgroup) { return ::rmdir(cgroup.c_str()) == 0 || errno == ENOENT; });
    entry = !desk.configured && !desk.active ? desks_.erase(entry) : std::next(entry);
  }
  for (auto& [name, desk] : desks_) {
    if (desk.active || desk.stuck() || !desk.configured) continue;
    if (const Desk* holder = holder_of(desk)) {
      if (holder->stuck()) end_queue(desk, Verdict::kError, stuck_beside(*holder));
      continue;
    }
    if (free_slots() <= 0) continue;
    start_next(desk);
    // What could not even be started has its result already.
    if (desk.active && desk.active->result) commit_result(desk);
  }
}

void RunDesk::commit_result(Desk& desk) {
  auto& active = *desk.active;
  if (active.hello && active.run_id) {
    const auto& hello = *active.hello;
    services_.store.set_facts(*active.run_id, hello.kernel, hello.filesystem, hello.pressure);
    active.hello.reset();
  }
  if (active.result && !active.result_committed) {
    const auto verdict = active.result->end.verdict;
    if (active.run_id) {
      refresh_budgets();
      const auto now = to_unix_ms(services_.clock.now());
      services_.store.finish_run(*active.run_id, *active.result, now);
      const FilesystemFacts& filesystem = active.result->filesystem;
      if (!filesystem.type.empty()) desk.tested = {*active.run_id, filesystem};
      // Whatever fails from here on must not make it end twice.
      active.result_committed = true;
      add_bytes(desk.bytes_today, active.result->end.counters.bytes_written);
      desk.needs_sweep = verdict == Verdict::kError || verdict == Verdict::kStuck;
      announce(desk.config.name, *active.run_id, *active.result, now);
      if (desk.stuck()) end_queue(desk, Verdict::kError, "the run before it is stuck in the kernel");
    } else if (verdict == Verdict::kError || verdict == Verdict::kStuck) {
      // Not tried again at once: what fails it may fail it for ever, and every run begins with a sweep of its own.
      spdlog::warn("target {}: files of a run that was cut off are left until the next run: {}", desk.config.name,
                   active.result->end.reason);
    } else {
      spdlog::info("target {}: cleared up after a run that was cut off", desk.config.name);
    }
    active.result_committed = true;
  }
  if (active.result_committed && (!active.supervisor || active.supervisor->gone())) desk.active.reset();
}

void RunDesk::start_next(Desk& desk) {
  if (desk.needs_sweep && desk.mount.usable) {
    desk.needs_sweep = false;
    desk.active = std::make_unique<Desk::Active>();
    launch(desk, make_sweep_spec(desk.config));
  } else if (!desk.queue.empty()) {
    // It leaves the queue only once the store knows what became of it.
    start_run(desk, desk.queue.front());
    desk.queue.pop_front();
    publish_events();
  }
}

void RunDesk::start_run(Desk& desk, QueuedRun& run) {
  // Since it was ordered, others may have used up a part of the budget, the target may have been unmounted, and a
  // reload may have given it another path and other limits.
  if (!desk.mount.usable) return end_unstarted(desk.config.name, run, Verdict::kError, desk.mount.reason);
  run.spec = make_spec(run.order, desk.config, run.id, run.spec.seed, services_.evidence_root);
  if (const auto left = budget_left(desk.config, desk.bytes_today)) {
    run.spec.bytes_max = std::max<std::uint64_t>(*left, 1);
  }
  services_.store.set_spec(run.id, json_text(run.spec));
  const auto now = to_unix_ms(services_.clock.now());
  services_.store.start_run(run.id, now);
  spdlog::info("run {}: {} on target {} begins, seed {}", run.id, run.spec.profile, desk.config.name, run.spec.seed);
  desk.active = std::make_unique<Desk::Active>();
  desk.active->run_id = run.id;
  desk.active->started = services_.clock.steady();
  launch(desk, run.spec);
}

void RunDesk::launch(Desk& desk, const RunSpec& spec) {
  auto* active = desk.active.get();
  active->spec = spec;
  RunCallbacks callbacks;
  callbacks.on_hello = [active](const Hello& hello) { active->hello = hello; };
  callbacks.on_progress = [this, active, &desk](const Progress& progress) {
    active->progress = progress;
    const auto now = services_.clock.steady();
    if (!active->run_id || now - active->progress_published < kProgressPublishInterval) return;
    active->progress_published = now;
    publish_progress(desk);
  };
  callbacks.on_result = [active](RunResult result) { active->result = std::move(result); };
  const auto cgroup_name = run_cgroup_name(services_.cgroup_prefix, spec.run_id);
  try {
    active->supervisor = std::make_unique<RunSupervisor>(
        services_.loop, services_.clock, services_.cgroups,
        Launch{services_.probe_program, spec, cgroup_name, services_.patience, {}}, std::move(callbacks));
  } catch (const SystemError& error) {
    active->result = result_without_probe(spec, Verdict::kError, error.what());
  }
}

void RunDesk::end_unstarted(const std::string& target, const QueuedRun& run, Verdict verdict,
                            const std::string& reason) {
  const auto result = result_without_probe(run.spec, verdict, reason);
  const auto now = to_unix_ms(services_.clock.now());
  services_.store.finish_run(run.id, result, now);
  announce(target, run.id, result, now);
}

void RunDesk::end_queue(Desk& desk, Verdict verdict, const std::string& reason) {
  while (!desk.queue.empty()) {
    end_unstarted(desk.config.name, desk.queue.front(), verdict, reason);
    desk.queue.pop_front();
  }
}

void RunDesk::announce(const std::string& target, std::int64_t run_id, const RunResult& result,
                       std::int64_t finished_at_ms) {
  spdlog::log(log_level(result.end.verdict), "run {}: {} on target {} is {}: {}", run_id, result.profile, target,
              to_string(result.end.verdict), result.end.reason);
  if (find(target) != nullptr) services_.metrics.on_run_finished(target, result, finished_at_ms);
  services_.metrics.set_open_incidents(services_.store.open_incidents());
  publish_events();
  if (finished_) finished_(target, result);
}

void RunDesk::publish_progress(const Desk& desk) const {
  const auto& active = *desk.active;
  nlohmann::json data = active.progress.counters;
  data["run_id"] = *active.run_id;
  data["target"] = desk.config.name;
  data["profile"] = active.spec.profile;
  data["elapsed_seconds"] = active.progress.elapsed_seconds;
  data["fraction"] = active.progress.fraction;
  data["finding_counts"] = finding_counts(active.progress.tally);
  services_.events.publish({0, std::nullopt, "run.progress", active.run_id, json_text(data)});
}

// The day is that of a clock that can be believed: one that jumps would give each day's budget anew. Within the day the
// desk counts by itself, whatever time the runs carry.
void RunDesk::refresh_budgets() {
  const auto today = std::chrono::floor<std::chrono::days>(services_.watch.believed());
  if (budget_day_ == today) return;
  budget_day_ = today;
  for (auto& [name, desk] : desks_) count_bytes(desk);
}

void RunDesk::count_bytes(Desk& desk) const {
  const auto end = *budget_day_ + std::chrono::days{1};
  desk.bytes_today = services_.store.bytes_written_between(desk.config.name, to_unix_ms(*budget_day_), to_unix_ms(end));
}

}  // namespace writecanary::daemon
