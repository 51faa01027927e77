#include "probe/run/finding_reporter.h"

namespace writecanary::probe {

void FindingReporter::report(const FileReport& found, int fd, const FileLog& log) {
  report(found);
  if (found.tally.total() != 0) evidence_.keep(fd, log, found, moment());
}

void FindingReporter::report(const FileReport& found, const ContentView& view) {
  report(found);
  if (found.tally.total() != 0) keep_evidence(found, view);
}

void FindingReporter::report(const FileReport& found) {
  meter_.count_verified(found.bytes_verified);
  meter_.count_findings(found.tally);
  for (const Finding& finding : found.findings) send(finding);
}

void FindingReporter::report(const Finding& finding) {
  FindingTally tally;
  tally.add(finding.kind, finding.length_bytes);
  meter_.count_findings(tally);
  evidence_.keep(finding, moment());
  send(finding);
}

void FindingReporter::send(const Finding& finding) {
  if (wanted() == 0) return;
  emitter_.send(FindingEvent{finding});
  ++sent_;
}

EvidenceCollector::Moment FindingReporter::moment() const {
  return {workspace_.filesystem(), pressure_.facts(), meter_.elapsed_us(), meter_.counters().writes};
}

}  // namespace writecanary::probe
