#include "probe/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/version.h"
#include "core/host/host_facts.h"
#include "probe/repetition.h"
#include "probe/run/filesystem.h"
#include "probe/run/judge.h"
#include "probe/run/profile.h"
#include "probe/stream/classic.h"
#include "probe/verify/cold/below_cache.h"

namespace writecanary::probe {
namespace {

// A path that cannot be reached is reported by the workspace, with the reason.
FilesystemFacts facts_of(const std::string& path) {
  try {
    return filesystem_at(path);
  } catch (const std::exception&) {
    return {};
  }
}

const Profile* find(const std::string& name) {
  const auto all = profiles();
  const auto found =
      std::ranges::find_if(all, [&](const Profile* profile) { return profile->describe().name == name; });
  return found == all.end() ? nullptr : *found;
}

// Without io_uring a part of the instrument is lost and not the whole, which the reader may not know.
std::string reason_of(const Unsupported& unsupported) {
  if (!unsupported.no_ring) return unsupported.reason;
  const auto all = profiles();
  std::vector<std::string> others;
  for (const Profile* profile : all) {
    const ProfileInfo info = profile->describe();
    if (!info.needs_io_uring) others.push_back(info.name);
  }
  return fmt::format("{}. {} of {} profiles need no io_uring and still run, {} first of all", unsupported.reason,
                     others.size(), all.size(), others.front());
}

class Run {
 public:
  Run(const RunSpec& spec, Emitter& emitter, const Clock& clock, const std::atomic<bool>& stop)
      : spec_(spec),
        emitter_(emitter),
        clock_(clock),
        stop_(stop),
        pressure_(spec.pressure, spec.classic ? kClassicMemoryBytes : spec.memory_bytes),
        start_(clock.steady()) {}

  void run() {
    emitter_.send(Hello{.probe_version = kVersion,
                        .run_id = spec_.run_id,
                        .profile = spec_.profile,
                        .seed = spec_.seed,
                        .kernel = kernel_facts(),
                        .filesystem = facts_of(spec_.path),
                        .pressure = pressure_.facts()});
    facts_.pressure = pressure_.facts();
    facts_.writes_asked = spec_.writes_max;
    try {
      if (spec_.task == Task::kSweep) {
        entered(Workspace(spec_));
      } else {
        run_profile();
      }
    } catch (const std::exception& error) {
      facts_.error = error.what();
    }
    finish();
  }

 private:
  void entered(const Workspace& workspace) {
    if (!workspace.filesystem().type.empty()) filesystem_ = workspace.filesystem();
  }

  void run_profile() {
    const Profile* profile = find(spec_.profile);
    if (profile == nullptr) {
      facts_.error = "no profile is called \"" + spec_.profile + "\"; `writecanary profiles` lists them";
      return;
    }
    facts_.pressure_needed = profile->needs_pressure && !spec_.classic;
    facts_.exposures_are_writes = profile->exposures_are_writes;
    // On a filesystem that is memory, swap is where files are evicted to.
    if (!facts_.pressure_needed) pressure_.allow_swap();
    const ProfileInfo info = profile->describe();
    Workspace workspace(spec_);
    entered(workspace);
    workspace.make_run_directory(spec_.run_id);
    RunContext context(spec_, info, workspace, pressure_, emitter_, clock_, stop_);
    try {
      if (const auto unsupported = profile->run(context)) facts_.unsupported = reason_of(*unsupported);
    } catch (const SystemError& error) {
      // What the stop itself interrupted did not fail.
      if (error.error_number() != EINTR || !context.limits.stopped()) facts_.error = error.what();
    } catch (const std::exception& error) {
      facts_.error = error.what();
    }
    pressure_.relieve();
    if (spec_.attribute && context.meter.tally().total() != 0 && !context.limits.stopped()) {
      attribution_ = repeat_in_variants(spec_, *profile, workspace, pressure_, clock_, stop_);
    }
    facts_.stopped = context.limits.stopped();
    facts_.counters = context.meter.counters();
    facts_.tally = context.meter.tally();
    coverage_ = context.meter.coverage();
    facts_.exposure_hint = context.exposure_hint;
    facts_.note = context.note;
    if (const std::string below = below_cache(workspace.filesystem()); !below.empty()) {
      facts_.note += (facts_.note.empty() ? "" : ", ") + ("storage may have been read from memory of " + below);
    }
    first_finding_seconds_ = context.meter.first_finding_seconds();
  }

  void finish() {
    pressure_.read_events(facts_.counters);
    Judgement judgement = judge(facts_);
    if (spec_.task == Task::kSweep && !facts_.error) judgement = {Verdict::kStopped, "swept; nothing was run"};
    emitter_.send(RunEnd{judgement.verdict, judgement.reason, facts_.counters, facts_.tally,
                         std::chrono::duration<double>(clock_.steady() - start_).count(), first_finding_seconds_,
                         attribution_, filesystem_, coverage_});
  }

  const RunSpec& spec_;
  Emitter& emitter_;
  const Clock& clock_;
  const std::atomic<bool>& stop_;
  Pressure pressure_;
  SteadyTime start_;
  RunFacts facts_;
  std::optional<double> first_finding_seconds_;
  Attribution attribution_;
  std::optional<FilesystemFacts> filesystem_;
  Coverage coverage_;
};

}  // namespace

void run_spec(const RunSpec& spec, Emitter& emitter, const Clock& clock, const std::atomic<bool>& stop) {
  Run(spec, emitter, clock, stop).run();
}

}  // namespace writecanary::probe
