// A damaged file and the log of its writes, copied to where evidence is kept (never on the tested filesystem).
#pragma once

#include <cstdint>
#include <string>

#include "probe/verifier.h"

namespace writecanary::probe {

// Writes <directory>/<name> (at most `bytes_max` of it, from the beginning) and <directory>/<name>.writes.json: the
// log with which anyone can judge the file again. Makes the directory. Returns the bytes written. A full or read-only
// evidence directory is said on stderr and does not end the run: the findings themselves travel another way.
std::uint64_t keep_file(int fd, const FileLog& log, const std::string& directory, std::uint64_t bytes_max);

}  // namespace writecanary::probe
