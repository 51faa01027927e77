// Every detector against damage made for it and against the same data without: so that a run without findings can be
// told from a detector that is blind.
#pragma once

#include <functional>

#include "core/process/self_test.h"
#include "probe/verify/verifier.h"

namespace writecanary::probe {

// Judges a file against its log.
using FileJudging = std::function<FileReport(int fd, const FileLog& log)>;

// In memory files; touches no tested filesystem. Takes a few tens of milliseconds. Throws SystemError when no memory
// file can be made. With another judge than the verifier it tells whether that one sees.
SelfTest try_detectors();
SelfTest try_detectors(const FileJudging& judge);

}  // namespace writecanary::probe
