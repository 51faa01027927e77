#include "probe/run/finding_reporter.h"

#include <algorithm>
#include <span>

namespace writecanary::probe {

void FindingReporter::report(const FileReport& found, int fd, const FileLog& log) {
  const FileReport told = with_reservations(found);
  report(told);
  if (told.tally.total() != 0) evidence_.keep(fd, log, told, moment());
}

void FindingReporter::report(const FileReport& found, const ContentView& view) {
  const FileReport told = with_reservations(found);
  report(told);
  if (told.tally.total() != 0) keep_evidence(told, view);
}

FileReport FindingReporter::with_reservations(FileReport found) const {
  if (below_cache_.empty()) return found;
  for (Finding& finding : found.findings) {
    if (finding.views.cold == Look::kNotLooked && finding.views.direct == Look::kNotLooked) continue;
    finding.detail += "; what was read after eviction may come from memory below the page cache: " + below_cache_;
  }
  return found;
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

void FindingReporter::tell_early(const FileReport& found) {
  if (found.tally.total() != 0) meter_.saw_finding();
  for (const Finding& finding : std::span(found.findings).first(std::min(found.findings.size(), wanted()))) {
    emitter_.send(FindingEvent{finding, true});
  }
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
