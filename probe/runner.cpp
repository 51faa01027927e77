#include "probe/runner.h"

#include <sys/utsname.h>

#include <algorithm>

#include "core/base/version.h"
#include "probe/attribution.h"
#include "probe/run/judge.h"
#include "probe/run/profile.h"
#include "probe/stream/classic.h"

namespace writecanary::probe {
namespace {

KernelFacts kernel_facts() {
  utsname name{};
  uname(&name);
  return {name.release, name.version, name.machine};
}

// A path that cannot be reached is reported by the workspace, with the reason.
FilesystemFacts facts_of(const std::string& path) {
  try {
    return filesystem_of(path);
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
    evidence_.pressure = pressure_.facts();
    evidence_.writes_asked = spec_.writes_max;
    try {
      if (spec_.task == Task::kSweep) {
        const Workspace swept(spec_);
      } else {
        run_profile();
      }
    } catch (const std::exception& error) {
      evidence_.error = error.what();
    }
    finish();
  }

 private:
  void run_profile() {
    const Profile* profile = find(spec_.profile);
    if (profile == nullptr) {
      evidence_.error = "no profile is called \"" + spec_.profile + "\"; `writecanary profiles` lists them";
      return;
    }
    evidence_.pressure_needed = profile->needs_pressure && !spec_.classic;
    evidence_.exposures_are_writes = profile->exposures_are_writes;
    const ProfileInfo info = profile->describe();
    Workspace workspace(spec_);
    workspace.make_run_directory(spec_.run_id);
    RunContext context(spec_, info, workspace, pressure_, emitter_, clock_, stop_);
    try {
      if (const auto unsupported = profile->run(context)) evidence_.unsupported = unsupported->reason;
    } catch (const std::exception& error) {
      evidence_.error = error.what();
    }
    pressure_.relieve();
    if (spec_.attribute && context.meter.tally().total() != 0 && !context.limits.stopped()) {
      attribution_ = attribute(spec_, *profile, workspace, pressure_, clock_, stop_);
    }
    evidence_.stopped = context.limits.stopped();
    evidence_.counters = context.meter.counters();
    evidence_.tally = context.meter.tally();
    evidence_.exposure_hint = context.exposure_hint;
    evidence_.note = context.note;
    first_finding_seconds_ = context.meter.first_finding_seconds();
  }

  void finish() {
    pressure_.read_events(evidence_.counters);
    Judgement judgement = judge(evidence_);
    if (spec_.task == Task::kSweep && !evidence_.error) judgement = {Verdict::kStopped, "swept; nothing was run"};
    emitter_.send(RunEnd{judgement.verdict, judgement.reason, evidence_.counters, evidence_.tally,
                         std::chrono::duration<double>(clock_.steady() - start_).count(), first_finding_seconds_,
                         attribution_});
  }

  const RunSpec& spec_;
  Emitter& emitter_;
  const Clock& clock_;
  const std::atomic<bool>& stop_;
  Pressure pressure_;
  SteadyTime start_;
  Evidence evidence_;
  std::optional<double> first_finding_seconds_;
  Attribution attribution_;
};

}  // namespace

void run_spec(const RunSpec& spec, Emitter& emitter, const Clock& clock, const std::atomic<bool>& stop) {
  Run(spec, emitter, clock, stop).run();
}

}  // namespace writecanary::probe
