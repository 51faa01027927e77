// The way findings leave the probe: counted, sent, and their file kept as evidence.
//
// What is wrong is found elsewhere (probe/verify); what it is worth is decided elsewhere (probe/run/judge.h).
#pragma once

#include <cstdint>
#include <string>

#include "core/base/limits.h"
#include "probe/evidence/evidence_collector.h"
#include "probe/run/emitter.h"
#include "probe/run/meter.h"
#include "probe/run/workspace.h"
#include "probe/verify/cold/below_cache.h"

namespace writecanary::probe {

class FindingReporter {
 public:
  // All references must outlive this.
  FindingReporter(const RunSpec& spec, const Workspace& workspace, const Pressure& pressure, Meter& meter,
                  Emitter& emitter)
      : workspace_(workspace),
        pressure_(pressure),
        meter_(meter),
        emitter_(emitter),
        evidence_(spec),
        below_cache_(below_cache(workspace.filesystem())) {}

  // Findings that are still wanted in full; those beyond are only counted.
  std::uint64_t wanted() const { return kFindingsPerRun - sent_; }

  // What was verified, and found, in a file that is judged by its log.
  void report(const FileReport& found, int fd, const FileLog& log);
  // The same for a file whose right content is known.
  void report(const FileReport& found, const ContentView& view);
  // The same for what was seen and is gone: no file is kept.
  void report(const FileReport& found);
  // One finding that was made without reading a file.
  void report(const Finding& finding);

  // Tells the same before more is done about it that may fail or hang; to be reported afterwards in any case.
  void tell_early(const FileReport& found);

  // Copies a file that is wrong now, before something is done that may set it right (eviction): it is this copy that is
  // kept when its findings are reported.
  void take_evidence(int fd, const std::string& name) { evidence_.take(fd, name); }
  // Keeps a file whose findings are reported later, or never.
  void keep_evidence(const FileReport& found, const ContentView& view) { evidence_.keep(view, found, moment()); }

 private:
  void send(const Finding& finding);
  // The same, with a word about what lies below the page cache where a finding speaks of storage.
  FileReport with_reservations(FileReport found) const;
  EvidenceCollector::Moment moment() const;

  const Workspace& workspace_;
  const Pressure& pressure_;
  Meter& meter_;
  Emitter& emitter_;
  EvidenceCollector evidence_;
  std::string below_cache_;  // probe/verify/cold/below_cache.h
  std::uint64_t sent_ = 0;
};

}  // namespace writecanary::probe
