#include "probe/run/file_judge.h"

#include <bit>
#include <exception>
#include <utility>

#include "probe/verify/cold/cold_look.h"

namespace writecanary::probe {

void FileJudge::judge(int fd, const FileLog& log) {
  FileReport report = verifier_.verify(fd, log, kFindingsPerRun);
  if (is_looked_at_cold(report)) {
    if (report.tally.total() != 0) {
      findings_.tell_early(report);
      findings_.take_evidence(fd, log.name);
    }
    const auto [cold, failed] = try_look([&] { return look_cold(fd, log, verifier_); });
    if (cold.cold) meter_.count_cold_file();
    report = merge_views(std::move(report), cold);
    findings_.report(report, fd, log);
    if (failed) std::rethrow_exception(failed);
    return;
  }
  findings_.report(report, fd, log);
}

// Going through the device costs time and wear. The first damaged files are worth it; of the others the 1st, 2nd, 4th,
// 8th and so on are enough to notice a device or a writeback that loses what the page cache has right.
bool FileJudge::is_looked_at_cold(const FileReport& report) {
  if (report.tally.total() != 0) return damaged_looked_at_++ < kDamagedLookedAtCold;
  return std::has_single_bit(meter_.counters().files);
}

}  // namespace writecanary::probe
