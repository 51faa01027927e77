#include "probe/repetition.h"

#include <fcntl.h>

#include <chrono>

#include "core/base/error.h"

namespace writecanary::probe {
namespace {

// Enough to tell "always" from "never"; little beside the run itself.
constexpr std::uint64_t kRepetitions = 3;
constexpr std::uint64_t kWritesPerRepetition = 20;
constexpr std::uint64_t kMillisecondsPerRepetition = 1'500;
constexpr std::chrono::seconds kTimeInAll{10};

RunSpec repetition_of(const RunSpec& spec, Variant variant) {
  RunSpec repeated = spec;
  repeated.variant = variant;
  repeated.attribute = false;
  repeated.evidence_directory.clear();
  repeated.writes_max = kWritesPerRepetition;
  repeated.duration_ms = kMillisecondsPerRepetition;
  return repeated;
}

}  // namespace

Attribution repeat_in_variants(const RunSpec& spec, const Profile& profile, Workspace& workspace, Pressure& pressure,
                               const Clock& clock, const std::atomic<bool>& stop) {
  const ProfileInfo info = profile.describe();
  std::vector<Variant> variants{Variant::kAsIs};
  for (const std::string& name : info.variants) variants.push_back(parse_variant(name).value());
  const Fd nowhere(open("/dev/null", O_WRONLY | O_CLOEXEC));
  const SteadyTime end = clock.steady() + kTimeInAll;
  Attribution attribution;
  for (const Variant variant : variants) {
    const RunSpec repeated = repetition_of(spec, variant);
    VariantRate rate{.variant = variant};
    for (std::uint64_t i = 0; i < kRepetitions && !stop && clock.steady() < end; ++i) {
      Emitter silent(nowhere.get());
      RunContext context(repeated, info, workspace, pressure, silent, clock, stop);
      try {
        if (profile.run(context)) break;
      } catch (const std::exception&) {  // the run itself has told what fails here
        pressure.relieve();
        break;
      }
      pressure.relieve();
      ++rate.runs;
      rate.runs_with_findings += context.meter.tally().total() != 0 ? 1 : 0;
      rate.writes += context.meter.counters().writes;
      rate.exposures += context.meter.counters().exposures;
      rate.findings += context.meter.tally().total();
    }
    if (rate.runs != 0) attribution.push_back(rate);
  }
  return attribution;
}

}  // namespace writecanary::probe
