#include "daemon/schedule/scheduler.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/text/units.h"
#include "daemon/config/identity.h"

namespace writecanary::daemon {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds kPressurePoll{5};
// Runs that were held back by a window or a budget do not all begin in the same second on every host.
constexpr std::chrono::minutes kReleaseSpreadMax{30};
// Clocks are slewed and stepped a little; further back than this the schedule starts over.
constexpr std::chrono::minutes kClockStepTolerated{1};

// 0 to 1.
double phase_of(const std::string& host, const std::string& target, const std::string& profile) {
  return static_cast<double>(stable_hash(host + '\n' + target + '\n' + profile) >> 11) * 0x1.0p-53;
}

milliseconds share(milliseconds span, double factor) {
  return milliseconds{static_cast<std::int64_t>(static_cast<double>(span.count()) * factor)};
}

milliseconds jitter_span(const RunSettings& settings) { return share(settings.every, settings.jitter_percent / 100); }

SystemTime release_time(const RunSettings& settings, double phase, SystemTime opening) {
  return opening + share(std::min<milliseconds>(jitter_span(settings), kReleaseSpreadMax), phase);
}

SystemTime next_utc_day(SystemTime now) {
  return SystemTime{std::chrono::floor<std::chrono::days>(now) + std::chrono::days{1}};
}

// When the next scheduled run may begin. Half of the day's budget may be used at any time, the rest no faster than the
// day goes by: also on a day that began with many writes a kernel that is booted in the evening is seen.
SystemTime budget_opens(std::uint64_t limit, std::uint64_t used, SystemTime now) {
  if (limit == 0) return now;
  if (used >= limit) return next_utc_day(now);
  const std::uint64_t half = limit / 2;
  if (used <= half) return now;
  const double spread = static_cast<double>(used - half) / static_cast<double>(limit - half);
  return std::max<SystemTime>(now, std::chrono::floor<std::chrono::days>(now) + share(std::chrono::days{1}, spread));
}

std::string at(SystemTime time) { return format_timestamp(to_unix_ms(time)); }

}  // namespace

SystemTime Scheduler::slot_after(const RunSettings& settings, double phase, SystemTime time) {
  const auto every = settings.every.count();
  const auto offset = share(jitter_span(settings), phase).count();
  const auto index = (to_unix_ms(time) - offset) / every + 1;
  return from_unix_ms(index * every + offset);
}

void Scheduler::configure(const Config& config, SystemTime now) {
  std::vector<Target> targets;
  for (const auto& wanted : config.targets) {
    Target target{wanted.name, wanted.settings, std::nullopt, {}};
    if (!wanted.settings.window.empty()) {
      target.window = Window::parse(wanted.settings.window).value;
      WC_CHECK(target.window);  // check_values has refused any other
    }
    const auto before = std::ranges::find(targets_, wanted.name, &Target::name);
    for (const auto& profile : wanted.settings.profiles) {
      Slot slot{profile, phase_of(host_id_, wanted.name, profile), now, now, {}, std::nullopt};
      if (before != targets_.end()) {
        const auto kept = std::ranges::find(before->slots, profile, &Slot::profile);
        if (kept != before->slots.end()) slot = *kept;
      }
      if (!slot.first()) slot.next = std::min(slot.next, slot_after(wanted.settings, slot.phase, now));
      target.slots.push_back(std::move(slot));
    }
    targets.push_back(std::move(target));
  }
  targets_ = std::move(targets);

  // First runs: the first profile of every target, then the second ones, evenly over the spread.
  std::vector<Slot*> first_runs;
  for (std::size_t rank = 0;; ++rank) {
    bool any = false;
    for (auto& target : targets_) {
      if (rank >= target.slots.size()) continue;
      any = true;
      if (target.slots[rank].first() && target.slots[rank].decided_at == now) first_runs.push_back(&target.slots[rank]);
    }
    if (!any) break;
  }
  for (std::size_t i = 0; i < first_runs.size(); ++i) {
    first_runs[i]->next =
        now + share(kFirstRunsSpread, static_cast<double>(i) / static_cast<double>(first_runs.size()));
  }
}

void Scheduler::started(const std::string& target_name, const std::string& profile, SystemTime now) {
  for (auto& target : targets_) {
    for (auto& slot : target.slots) {
      if (target.name != target_name || slot.profile != profile) continue;
      // A slot that comes very soon after a late run is left out.
      slot.next = slot_after(target.settings, slot.phase, now + target.settings.every / 2);
      slot.decided_at = now;
      slot.started = now;
      slot.held_since.reset();
    }
  }
}

void Scheduler::move_into_window(const Target& target, Slot& slot, SystemTime now) {
  const auto candidate = std::max(slot.next, now);
  if (!target.window || target.window->contains(candidate)) return;
  const auto opening = target.window->next_opening(candidate);
  slot.next = release_time(target.settings, slot.phase, opening);
  if (!target.window->contains(slot.next)) slot.next = opening;  // a window shorter than the spread
  slot.held_since.reset();
}

void Scheduler::hold_for_budget(const Target& target, const TargetSituation& situation, Slot& slot, SystemTime now) {
  const auto limit = target.settings.bytes_per_day_max;
  const auto opens = budget_opens(limit, situation.bytes_today, now);
  if (opens <= now || slot.next >= opens) return;
  const bool spent = situation.bytes_today >= limit;
  slot.next = spent ? release_time(target.settings, slot.phase, opens) : opens;
}

bool Scheduler::held_by_pressure(const Target& target, Slot& slot, const HostSituation& host, SystemTime now) {
  const auto limit = target.settings.memory_pressure_max;
  if (limit == 0 || !host.memory_pressure || *host.memory_pressure <= limit) {
    slot.held_since.reset();
    return false;
  }
  if (!slot.held_since || *slot.held_since > now) slot.held_since = now;
  return now - *slot.held_since < kStarvationIntervals * target.settings.every;
}

Plan Scheduler::plan(const Situation& situation, const HostSituation& host, SystemTime now) {
  Plan plan;
  plan.wake_at = now + std::chrono::hours{1};
  for (auto& target : targets_) {
    const auto found = situation.find(target.name);
    plan_target(target, found == situation.end() ? TargetSituation{} : found->second, host, now, plan);
  }
  // plan_target offered one per target; the host takes only so many.
  const auto rank = [this](const DueRun& due) {
    const auto target = std::ranges::find(targets_, due.target, &Target::name);
    return std::ranges::find(target->slots, due.profile, &Slot::profile)->rank();
  };
  std::ranges::stable_sort(plan.due, {}, rank);
  const auto slots = static_cast<std::size_t>(std::max(host.free_slots, 0));
  for (auto i = slots; i < plan.due.size(); ++i) {
    auto& planned = plan.targets[plan.due[i].target];
    planned.state = "waiting";
    planned.reason = "another run is going on (max_concurrent_runs)";
  }
  if (plan.due.size() > slots) plan.due.resize(slots);
  return plan;
}

void Scheduler::plan_target(Target& target, const TargetSituation& situation, const HostSituation& host, SystemTime now,
                            Plan& plan) {
  auto& planned = plan.targets[target.name];
  const bool blocked = situation.stuck || !situation.mounted || situation.paused;
  Slot* due = nullptr;
  bool pressed = false;
  for (auto& slot : target.slots) {
    if (slot.decided_at > now + kClockStepTolerated) {
      slot.next = slot_after(target.settings, slot.phase, now);
      slot.decided_at = now;
      slot.started = std::min(slot.started, now);  // or it would come last for as long as the clock was ahead
    }
    move_into_window(target, slot, now);
    hold_for_budget(target, situation, slot, now);
    auto& next = planned.next_runs[slot.profile];
    if (blocked) continue;
    next = std::max(slot.next, now);
    if (slot.next > now) {
      plan.wake_at = std::min(plan.wake_at, slot.next);
    } else if (!situation.busy && held_by_pressure(target, slot, host, now)) {
      pressed = true;
      plan.wake_at = std::min<SystemTime>(plan.wake_at, now + kPressurePoll);
    } else if (due == nullptr || slot.rank() < due->rank()) {
      due = &slot;
    }
  }

  const auto held_until = [&target](SystemTime time) {
    return std::ranges::any_of(target.slots, [time](const Slot& slot) { return slot.next == time; });
  };
  if (situation.stuck) {
    planned.state = "stuck";
    planned.reason = situation.stuck_reason;
  } else if (situation.busy) {
    planned.state = "running";
  } else if (!situation.mounted) {
    planned.state = "not_mounted";
    planned.reason = situation.mount_reason;
  } else if (situation.paused) {
    planned.state = "paused";
    planned.reason = situation.paused_note.empty() ? "paused by hand. Resume it to go on" : situation.paused_note;
  } else if (due != nullptr && !situation.held_reason.empty()) {
    planned.state = "waiting";
    planned.reason = situation.held_reason;
  } else if (due != nullptr) {
    planned.state = "idle";
    plan.due.push_back({target.name, due->profile, due->first()});
  } else if (pressed) {
    planned.state = "waiting";
    planned.reason = fmt::format(
        "memory pressure {:.1f} is above max_memory_pressure = {}; it runs anyway after {} "
        "missed intervals",
        *host.memory_pressure, target.settings.memory_pressure_max, kStarvationIntervals);
  } else if (const auto opens = budget_opens(target.settings.bytes_per_day_max, situation.bytes_today, now);
             opens > now && (opens == next_utc_day(now) || held_until(opens))) {
    const char* spread = opens < next_utc_day(now) ? ", of which the second half is spread over the day" : "";
    planned.state = "waiting";
    planned.reason = fmt::format("{} were written today, max_bytes_per_day is {}{}; it goes on at {}",
                                 format_size(situation.bytes_today), format_size(target.settings.bytes_per_day_max),
                                 spread, at(opens));
  } else if (target.window && !target.window->contains(now)) {
    planned.state = "waiting";
    planned.reason = fmt::format("outside its window \"{}\", which opens at {}", target.settings.window,
                                 at(target.window->next_opening(now)));
  } else {
    planned.state = "idle";
  }
}

}  // namespace writecanary::daemon
