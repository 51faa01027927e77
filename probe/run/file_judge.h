// Judges the finished files of a run by their logs, first as the page cache has them, some then as storage has them.
//
// For files of which every byte's right content is known there is probe/run/content_check.h.
#pragma once

#include "probe/run/finding_reporter.h"
#include "probe/verify/verifier.h"

namespace writecanary::probe {

class FileJudge {
 public:
  // Both must outlive the judge.
  FileJudge(Meter& meter, FindingReporter& findings) : meter_(meter), findings_(findings) {}

  // Verifies the whole file against its log, reports what is wrong, keeps the file as evidence when told to.
  void judge(int fd, const FileLog& log);

 private:
  bool is_looked_at_cold(const FileReport& report);

  Meter& meter_;
  FindingReporter& findings_;
  Verifier verifier_;
  std::uint64_t damaged_looked_at_ = 0;
};

}  // namespace writecanary::probe
