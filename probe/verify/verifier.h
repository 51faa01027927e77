// Judges one file against its log: reads all of it, finds out what stands where, names what is wrong.
//
// The work is done by three parts that can be tested alone: the scanner reads bytes and says where they come from
// (probe/verify/scanner.h), the classifier compares that with the log (probe/verify/classifier.h), and the verifier
// adds what a person needs to see it again in the file. It does not decide what a run is worth (probe/run/judge.h), and
// it does not choose how the file is read: drop the page cache or open with O_DIRECT before, as the profile wants.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/aligned.h"
#include "core/run/finding.h"
#include "core/run/run_result.h"
#include "probe/pattern/file_log.h"
#include "probe/verify/window.h"

namespace writecanary::probe {

struct FileReport {
  std::vector<Finding> findings;     // the first ones by file offset, at most as many as were asked for
  FindingTally tally;                // exact, also of those beyond
  std::uint64_t bytes_verified = 0;  // read and compared
  std::uint64_t size_bytes = 0;      // of the file
};

// Keeps its read buffer from file to file: use one for a whole run. Not thread-safe.
class Verifier {
 public:
  Verifier();

  // Looks at the file from its beginning; the descriptor's position stays. Nobody may write to the file meanwhile.
  // Throws SystemError when reading fails: that is no finding.
  FileReport verify(int fd, const FileLog& log, std::size_t max_findings, Access access = Access::kRead);

 private:
  AlignedBuffer<std::uint64_t> buffer_;
};

}  // namespace writecanary::probe
