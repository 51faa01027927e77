// What a profile works with: parts with one subject each. Helpers of a profile take those that they use.
//
// A profile asks limits.may_continue() before each write, counts each result with the meter, and hands each finished
// file to the judge. It never decides a verdict (probe/run/judge.h) and never talks to the supervisor itself.
#pragma once

#include <string>

#include "probe/run/file_judge.h"
#include "probe/run/finding_reporter.h"
#include "probe/run/meter.h"
#include "probe/run/run_file.h"
#include "probe/run/run_limits.h"
#include "probe/run/settings.h"

namespace writecanary::probe {

struct RunContext {
  // All references must outlive the context; `stop` is set by a signal handler.
  RunContext(const RunSpec& spec, const ProfileInfo& info, const Workspace& run_workspace, Pressure& run_pressure,
             Emitter& emitter, const Clock& run_clock, const std::atomic<bool>& stop)
      : workspace(run_workspace),
        pressure(run_pressure),
        clock(run_clock),
        settings(spec, info),
        meter(clock),
        limits(spec, workspace, pressure, meter, emitter, stop),
        findings(spec, workspace, pressure, meter, emitter),
        file_judge(meter, findings) {}
  RunContext(const RunContext&) = delete;
  RunContext& operator=(const RunContext&) = delete;

  FileIdentity next_file() { return settings.file(meter.count_file()); }
  // What can be compressed and what cannot, turn by turn: where a filesystem compresses, most of its own paths are
  // taken by the former alone, which come first there. For files of which each place has one right content; what an
  // appender's log names is of one kind.
  FileIdentity next_file_of_turn(std::uint64_t turn) {
    FileIdentity file = next_file();
    const bool compresses = workspace.filesystem().options.find("compress") != std::string::npos;
    file.incompressible = file.incompressible && turn % 2 == (compresses ? 1 : 0);
    return file;
  }

  const Workspace& workspace;
  Pressure& pressure;
  const Clock& clock;
  Settings settings;
  Meter meter;
  RunLimits limits;
  FindingReporter findings;
  FileJudge file_judge;

  // Why exposures are missing, in words for the verdict; set by the profile when it knows.
  std::string exposure_hint;
  // What a clean verdict does not speak for, because this kernel or filesystem refuses it; empty for nothing.
  std::string note;
};

}  // namespace writecanary::probe
