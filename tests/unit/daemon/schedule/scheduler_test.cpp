#include "daemon/schedule/scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/text/units.h"

namespace writecanary::daemon {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

SystemTime time(const char* text) { return from_unix_ms(*parse_timestamp_ms(text)); }
const SystemTime kStart = time("2026-06-01T12:00:00Z");  // a Monday

Config config_of(const std::vector<std::string>& names, std::vector<std::string> profiles = {"append"}) {
  Config config;
  config.defaults.profiles = std::move(profiles);
  for (const auto& name : names) {
    TargetConfig target;
    target.name = name;
    target.path = "/" + name;
    target.settings = config.defaults;
    config.targets.push_back(std::move(target));
  }
  return config;
}

struct Started {
  SystemTime at;
  DueRun run;
};

// Lets the schedule run on a clock of its own: sleeps until the plan's wake-up or a run's end, never polls.
class Simulation {
 public:
  Simulation(Config config, const std::string& host = "host-a") : config_(std::move(config)), scheduler_(host) {
    scheduler_.configure(config_, now_);
  }

  std::vector<Started> run_until(SystemTime end) {
    std::vector<Started> started;
    while (now_ < end) {
      for (auto& [name, ends] : running_) {
        if (ends <= now_) situation[name].busy = false;
      }
      std::erase_if(running_, [this](const auto& run) { return run.second <= now_; });
      const auto plan = scheduler_.plan(situation, {concurrent - static_cast<int>(running_.size()), pressure}, now_);
      ++plans;
      for (const auto& due : plan.due) {
        EXPECT_FALSE(running_.contains(due.target)) << "two runs on " << due.target;
        scheduler_.started(due.target, due.profile, now_);
        running_[due.target] = now_ + run_time;
        situation[due.target].busy = true;
        situation[due.target].bytes_today += bytes_per_run;
        started.push_back({now_, due});
      }
      EXPECT_LE(running_.size(), static_cast<std::size_t>(concurrent));
      auto next = plan.wake_at;
      for (const auto& [name, ends] : running_) next = std::min(next, ends);
      const auto before = now_;
      now_ = std::max(next, now_ + std::chrono::milliseconds{1});
      if (std::chrono::floor<std::chrono::days>(before) != std::chrono::floor<std::chrono::days>(now_)) {
        for (auto& [name, target] : situation) target.bytes_today = 0;
      }
    }
    return started;
  }
  Plan plan() { return scheduler_.plan(situation, {concurrent, pressure}, now_); }
  Scheduler& scheduler() { return scheduler_; }
  Config& config() { return config_; }
  void set_now(SystemTime now) { now_ = now; }
  SystemTime now() const { return now_; }

  Situation situation;
  int concurrent = 1;
  std::optional<double> pressure;
  seconds run_time{10};
  std::uint64_t bytes_per_run = 1;
  int plans = 0;

 private:
  SystemTime now_ = kStart;
  Config config_;
  Scheduler scheduler_;
  std::map<std::string, SystemTime> running_;
};

TEST(Scheduler, AWeekHasEveryIntervalOnce) {
  Simulation simulation(config_of({"data", "logs"}, {"append", "nowait-contract"}));
  const auto started = simulation.run_until(kStart + hours{7 * 24});
  std::map<std::pair<std::string, std::string>, std::vector<SystemTime>> by_profile;
  for (const auto& run : started) by_profile[{run.run.target, run.run.profile}].push_back(run.at);
  ASSERT_EQ(by_profile.size(), 4U);
  for (const auto& [key, times] : by_profile) {
    // 672 intervals in a week; the first run is extra, and may make the first slot superfluous.
    EXPECT_GE(times.size(), 672U) << key.first << " " << key.second;
    EXPECT_LE(times.size(), 673U);
    for (std::size_t i = 2; i < times.size(); ++i) {
      const auto gap = times[i] - times[i - 1];
      EXPECT_GE(gap, minutes{14});
      EXPECT_LE(gap, minutes{16});
    }
  }
  // Sleeping until something happens, not polling.
  EXPECT_LT(simulation.plans, static_cast<int>(started.size()) * 5);
}

TEST(Scheduler, BeginsAtOnceAndSpreadsTheFirstRuns) {
  Simulation simulation(config_of({"a", "b", "c"}, {"append", "nowait-contract"}));
  simulation.concurrent = 3;
  simulation.run_time = seconds{1};
  const auto started = simulation.run_until(kStart + seconds{31});
  ASSERT_EQ(started.size(), 6U);
  EXPECT_EQ(started[0].at, kStart);
  for (std::size_t i = 0; i < started.size(); ++i) {
    EXPECT_TRUE(started[i].run.first);
    EXPECT_EQ(started[i].at, kStart + seconds{5} * i);
  }
  // Every target comes before any comes twice.
  EXPECT_EQ((std::set<std::string>{started[0].run.target, started[1].run.target, started[2].run.target}).size(), 3U);
}

TEST(Scheduler, PhaseIsStableOnAHostAndDiffersBetweenHosts) {
  const auto third_run = [](const std::string& host) {
    Simulation simulation(config_of({"data"}), host);
    return simulation.run_until(kStart + hours{2}).at(3).at;
  };
  EXPECT_EQ(third_run("host-a"), third_run("host-a"));
  std::set<SystemTime> phases;
  for (int i = 0; i < 50; ++i) phases.insert(third_run("host-" + std::to_string(i)));
  EXPECT_GT(phases.size(), 45U);
  EXPECT_LE(*phases.rbegin() - *phases.begin(), seconds{90});
}

TEST(Scheduler, KeepsToItsWindow) {
  auto config = config_of({"data"});
  config.targets[0].settings.window = "Mon-Fri 20:00-06:00 Europe/London";
  const auto window = *Window::parse(config.targets[0].settings.window).value;
  Simulation simulation(config);
  const auto closed = simulation.plan();
  EXPECT_EQ(closed.targets.at("data").state, "waiting");
  EXPECT_NE(closed.targets.at("data").reason.find("opens at 2026-06-01T19:00:00.000Z"), std::string::npos)
      << closed.targets.at("data").reason;
  const auto started = simulation.run_until(kStart + hours{7 * 24});
  EXPECT_NEAR(static_cast<double>(started.size()), 5 * 10 * 4, 5);
  for (const auto& run : started) EXPECT_TRUE(window.contains(run.at)) << format_timestamp(to_unix_ms(run.at));
}

TEST(Scheduler, AWindowShorterThanTheIntervalIsStillUsed) {
  auto config = config_of({"data"});
  config.targets[0].settings.every = hours{24};
  config.targets[0].settings.window = "03:00-03:10";
  Simulation simulation(config);
  const auto started = simulation.run_until(kStart + hours{7 * 24});
  EXPECT_EQ(started.size(), 7U);
}

TEST(Scheduler, StopsAtTheDailyBudgetAndGoesOnAtMidnight) {
  auto config = config_of({"data"});
  config.targets[0].settings.bytes_per_day_max = 10;
  Simulation simulation(config);
  const auto today = simulation.run_until(time("2026-06-02T00:00:00Z"));
  EXPECT_EQ(today.size(), 10U);
  simulation.set_now(time("2026-06-01T23:00:00Z"));
  simulation.situation["data"].bytes_today = 10;
  const auto planned = simulation.plan().targets.at("data");
  EXPECT_EQ(planned.state, "waiting");
  EXPECT_NE(planned.reason.find("goes on at 2026-06-02T00:00:00.000Z"), std::string::npos) << planned.reason;
  simulation.set_now(time("2026-06-02T00:00:00Z"));
  simulation.situation["data"].bytes_today = 0;
  EXPECT_EQ(simulation.run_until(time("2026-06-03T00:00:00Z")).size(), 10U);
}

TEST(Scheduler, SpreadsTheSecondHalfOfTheBudgetOverTheDay) {
  auto config = config_of({"data"});
  config.targets[0].settings.bytes_per_day_max = 100;
  Simulation simulation(config);
  simulation.set_now(time("2026-06-01T01:00:00Z"));
  simulation.situation["data"].bytes_today = 75;  // of which 25 are half of the second half: noon
  const auto planned = simulation.plan().targets.at("data");
  EXPECT_EQ(planned.state, "waiting");
  EXPECT_NE(planned.reason.find("spread over the day; it goes on at 2026-06-01T12:00:00.000Z"), std::string::npos)
      << planned.reason;
  EXPECT_EQ(planned.next_runs.at("append"), time("2026-06-01T12:00:00Z"));
  EXPECT_TRUE(simulation.run_until(time("2026-06-01T12:00:00Z")).empty());
  // One unit for each run: about one in 29 minutes from then on, where 15 would have used up the budget by six.
  const auto evening = simulation.run_until(time("2026-06-02T00:00:00Z"));
  EXPECT_NEAR(static_cast<double>(evening.size()), 25, 1);
  EXPECT_GT(evening.back().at, time("2026-06-01T23:00:00Z"));
}

TEST(Scheduler, ABudgetThatDelaysNoRunIsNotWorthAWord) {
  auto config = config_of({"data"});
  config.targets[0].settings.bytes_per_day_max = 100;
  config.targets[0].settings.every = hours{6};
  Simulation simulation(config);
  ASSERT_EQ(simulation.run_until(kStart + minutes{1}).size(), 1U);
  simulation.situation["data"].bytes_today = 76;  // may be used at 12:28:48, and the next slot is after 18:00
  EXPECT_EQ(simulation.plan().targets.at("data").state, "idle");
  simulation.situation["data"].bytes_today = 100;
  EXPECT_EQ(simulation.plan().targets.at("data").state, "waiting");
}

TEST(Scheduler, WaitsOutMemoryPressureButNotForEver) {
  Simulation simulation(config_of({"data"}));
  simulation.run_until(kStart + minutes{1});
  simulation.pressure = 40.0;
  // The next slot lies at most 16.5 minutes on; held from there for four intervals.
  EXPECT_TRUE(simulation.run_until(kStart + minutes{60}).empty());
  const auto planned = simulation.plan().targets.at("data");
  EXPECT_EQ(planned.state, "waiting");
  EXPECT_NE(planned.reason.find("memory pressure 40.0 is above max_memory_pressure = 20"), std::string::npos);
  const auto starved = simulation.run_until(kStart + minutes{90});
  EXPECT_EQ(starved.size(), 1U);
  // And it waits again, until the pressure is over.
  EXPECT_TRUE(simulation.run_until(kStart + minutes{130}).empty());
  simulation.pressure = 5.0;
  EXPECT_EQ(simulation.run_until(kStart + minutes{132}).size(), 1U);
}

TEST(Scheduler, PressureIsIgnoredWhenUnknownOrNotAskedFor) {
  auto config = config_of({"data"});
  config.targets[0].settings.memory_pressure_max = 0;
  Simulation not_asked(config);
  not_asked.pressure = 99.0;
  EXPECT_EQ(not_asked.run_until(kStart + seconds{1}).size(), 1U);
  Simulation unknown(config_of({"data"}));
  EXPECT_EQ(unknown.run_until(kStart + seconds{1}).size(), 1U);
}

TEST(Scheduler, BlockedTargetsHaveTheirStateAndNoNextRun) {
  struct Case {
    TargetSituation situation;
    const char* state;
    const char* reason;
  };
  TargetSituation unmounted, paused, stuck, busy;
  unmounted.mounted = false;
  unmounted.mount_reason = "it is on /";
  paused.paused = true;
  paused.paused_note = "disk is being replaced";
  stuck.stuck = stuck.busy = true;
  stuck.stuck_reason = "hangs";
  for (const auto& [situation, state, reason] :
       {Case{unmounted, "not_mounted", "it is on /"}, Case{paused, "paused", "disk is being replaced"},
        Case{stuck, "stuck", "hangs"}}) {
    Simulation simulation(config_of({"data"}));
    simulation.situation["data"] = situation;
    const auto plan = simulation.plan();
    EXPECT_TRUE(plan.due.empty()) << state;
    EXPECT_EQ(plan.targets.at("data").state, state);
    EXPECT_EQ(plan.targets.at("data").reason, reason);
    EXPECT_FALSE(plan.targets.at("data").next_runs.at("append")) << state;
  }
  busy.busy = true;
  Simulation simulation(config_of({"data"}));
  simulation.situation["data"] = busy;
  EXPECT_TRUE(simulation.plan().due.empty());
  EXPECT_EQ(simulation.plan().targets.at("data").state, "running");
}

TEST(Scheduler, ALateRunReplacesTheSlotThatFollowsSoon) {
  Simulation simulation(config_of({"data"}));
  simulation.run_until(kStart + minutes{1});
  simulation.situation["data"].paused = true;
  simulation.run_until(kStart + hours{3});
  simulation.situation["data"].paused = false;
  simulation.set_now(kStart + hours{3});
  const auto started = simulation.run_until(kStart + hours{4});
  ASSERT_GE(started.size(), 4U);
  EXPECT_EQ(started[0].at, kStart + hours{3});
  // One run for all the missed slots.
  EXPECT_GE(started[1].at - started[0].at, minutes{15} / 2);
  EXPECT_LE(started.size(), 5U);
}

TEST(Scheduler, WhatRanWhileTheClockWasAheadIsNotLastForAYear) {
  Scheduler scheduler("host-a");
  scheduler.configure(config_of({"data"}, {"append", "offset"}), kStart);
  auto now = kStart + minutes{5};
  const auto next = [&] {
    const auto plan = scheduler.plan({}, {}, now);
    EXPECT_EQ(plan.due.size(), 1U);
    scheduler.started("data", plan.due.at(0).profile, now);
    return plan.due.at(0).profile;
  };
  next();
  now += hours{24 * 365};
  next();
  now -= hours{24 * 365};
  std::map<std::string, int> runs;
  for (int i = 0; i < 6; ++i) {
    now += hours{2};  // both are due
    ++runs[next()];
  }
  EXPECT_EQ(runs, (std::map<std::string, int>{{"append", 3}, {"offset", 3}}));
}

TEST(Scheduler, AClockSetBackDoesNotSilenceIt) {
  Simulation simulation(config_of({"data"}));
  simulation.run_until(kStart + hours{5});
  simulation.set_now(kStart - hours{48});
  EXPECT_GE(simulation.run_until(kStart - hours{46}).size(), 7U);
}

TEST(Scheduler, OneSlotIsSharedAndNobodyStarves) {
  Simulation simulation(config_of({"a", "b", "c", "d"}));
  simulation.run_time = minutes{5};  // four of them need longer than the interval
  const auto started = simulation.run_until(kStart + hours{24});
  std::map<std::string, int> count;
  for (const auto& run : started) ++count[run.run.target];
  // A full host: 288 runs of 5 minutes in a day, and everyone has a good part of the 72 that would be its own.
  EXPECT_GE(started.size(), 280U);
  for (const auto& name : {"a", "b", "c", "d"}) EXPECT_GE(count[name], 60) << name;
  for (auto& [name, target] : simulation.situation) target.busy = name == "a";
  simulation.concurrent = 0;
  simulation.set_now(kStart + hours{26});
  EXPECT_EQ(simulation.plan().targets.at("b").state, "waiting");
  EXPECT_EQ(simulation.plan().targets.at("b").reason, "another run is going on (max_concurrent_runs)");
}

TEST(Scheduler, ReloadKeepsSlotsAndTakesOverNewTargets) {
  Simulation simulation(config_of({"data"}));
  simulation.run_until(kStart + minutes{2});
  simulation.set_now(kStart + minutes{2});
  const auto next = simulation.plan().targets.at("data").next_runs.at("append");
  auto config = config_of({"data", "logs"});
  simulation.scheduler().configure(config, simulation.now());
  const auto plan = simulation.plan();
  EXPECT_EQ(plan.targets.at("data").next_runs.at("append"), next);
  ASSERT_EQ(plan.due.size(), 1U);
  EXPECT_EQ(plan.due[0].target, "logs");
  // A shorter interval takes effect at once.
  config.targets[0].settings.every = minutes{1};
  simulation.scheduler().configure(config, simulation.now());
  EXPECT_LE(*simulation.plan().targets.at("data").next_runs.at("append"), simulation.now() + minutes{2});
  config.targets.erase(config.targets.begin());
  simulation.scheduler().configure(config, simulation.now());
  EXPECT_FALSE(simulation.plan().targets.contains("data"));
}

}  // namespace
}  // namespace writecanary::daemon
