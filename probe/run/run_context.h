// What a profile works with: limits, counters, files, and the way findings leave the probe.
//
// A profile asks may_continue() before each write, counts each result, and hands each finished file to judge_file().
// It never decides a verdict (probe/run/judge.h) and never talks to the supervisor itself.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "core/base/clock.h"
#include "core/base/limits.h"
#include "core/run/profile_info.h"
#include "core/run/run_spec.h"
#include "probe/evidence/evidence.h"
#include "probe/run/emitter.h"
#include "probe/run/workspace.h"
#include "probe/trap/pressure.h"
#include "probe/verify/cold/cold_look.h"
#include "probe/verify/verifier.h"

namespace writecanary::probe {

// A file of the run while it is written: removed by its destructor, unless the name was given up.
class RunFile {
 public:
  RunFile(const Workspace& workspace, std::string name, int flags)
      : workspace_(workspace), name_(std::move(name)), fd_(workspace.create(name_, flags)) {}
  ~RunFile();
  RunFile(const RunFile&) = delete;
  RunFile& operator=(const RunFile&) = delete;

  const std::string& name() const { return name_; }
  int fd() const { return fd_.get(); }
  std::uint64_t size_bytes() const;  // fstat; throws SystemError

 private:
  const Workspace& workspace_;
  std::string name_;
  Fd fd_;
};

class RunContext {
 public:
  // All references must outlive the context; `stop` is set by a signal handler.
  RunContext(const RunSpec& spec, const ProfileInfo& info, Workspace& workspace, Pressure& pressure, Emitter& emitter,
             const Clock& clock, const std::atomic<bool>& stop);

  const RunSpec& spec() const { return spec_; }
  Workspace& workspace() const { return workspace_; }
  Pressure& pressure() const { return pressure_; }
  const Clock& clock() const { return clock_; }
  // The value of one of the profile's own options: the spec's or the default.
  std::uint64_t option(const std::string& name) const;
  // A sub-seed of the run's seed for the file that next_tag() gave last.
  std::uint64_t file_seed() const;

  // False when a limit of the spec is reached, the probe was told to stop or nobody listens. Reports progress when due.
  bool may_continue();
  bool stopped() const { return stop_.load(std::memory_order_relaxed) || emitter_.broken(); }

  // The tag of the next file; its name is file_name(tag).
  Tag next_tag();
  static std::string file_name(const Tag& tag);
  Tag current_tag() const { return {run_tag_, static_cast<std::uint16_t>(counters_.files & kFileTagMax), 0}; }

  // Counts one write with what came of it. `exposed`: it ran the path that the profile watches.
  void count(const WriteRef& write, bool exposed);
  // Counts what ran that path and is no write: a read that raced, a copy, a collapse.
  void expose(std::uint64_t count) { counters_.exposures += count; }
  const RunCounters& counters() const { return counters_; }
  const FindingTally& tally() const { return tally_; }
  std::optional<double> first_finding_seconds() const { return first_finding_seconds_; }
  double elapsed_seconds() const;
  std::uint64_t elapsed_us() const;  // for WriteRef::at_us

  // Verifies the whole file against its log, reports what is wrong, keeps the file as evidence when told to. Some files
  // are looked at a second time, cold.
  void judge_file(int fd, const FileLog& log);
  // The same for a file that was verified elsewhere.
  void absorb(const FileReport& report, int fd, const FileLog& log);
  // The same for a file whose right content is known.
  void absorb(const FileReport& report, const ContentView& view);
  // The same for what was seen and is gone: no file is kept.
  void absorb(const FileReport& report);
  // Copies a file that is wrong now, before something is done that may set it right (eviction): it is this copy that is
  // kept when its findings are reported.
  void take_evidence(int fd, const std::string& name) { evidence_.take(fd, name); }
  // Keeps a file whose findings are reported later, or never.
  void keep_evidence(const FileReport& report, const ContentView& view) { evidence_.keep(view, report, moment()); }
  // Findings that are still wanted in full.
  std::uint64_t findings_wanted() const { return kFindingsPerRun - findings_sent_; }
  // Reports one finding that was made without reading a file.
  void report(const Finding& finding);

  // Why exposures are missing, in words for the verdict; set by the profile when it knows.
  std::string exposure_hint;
  // What a clean verdict does not speak for, because this kernel or filesystem refuses it; empty for nothing.
  std::string note;

 private:
  double fraction() const;
  void remember(const FindingTally& tally);
  bool is_looked_at_cold(const FileReport& report);
  EvidenceKeeper::Moment moment() const;

  const RunSpec& spec_;
  const ProfileInfo& info_;
  Workspace& workspace_;
  Pressure& pressure_;
  Emitter& emitter_;
  const Clock& clock_;
  const std::atomic<bool>& stop_;
  SteadyTime start_, next_progress_, next_space_check_;
  RunCounters counters_;
  FindingTally tally_;
  std::optional<double> first_finding_seconds_;
  std::uint64_t findings_sent_ = 0;
  std::uint64_t damaged_looked_at_ = 0;
  std::uint16_t run_tag_;
  EvidenceKeeper evidence_;
  Verifier verifier_;
};

}  // namespace writecanary::probe
