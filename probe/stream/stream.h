// The loop that all single-writer profiles share: files filled by one writer, each verified and removed.
//
// A profile brings only how one write is made. Short results are continued with a write of their own, as applications
// do; only acknowledged bytes are judged. A write that results in -EAGAIN is counted and its data given up.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/run/profile_info.h"
#include "probe/run/run_context.h"

namespace writecanary::probe {

struct StreamWrite {
  WriteRef ref;          // index, writer and stream offset are filled in by the loop
  bool exposed = false;  // it ran the path that the profile watches
  CoveredWay way = CoveredWay::kPlain;
};

class StreamWriter {
 public:
  virtual ~StreamWriter() = default;
  // A new file, which is empty yet.
  virtual void begin(const FileIdentity& file) { static_cast<void>(file); }
  // Before the buffer is filled.
  virtual void prepare() {}
  // Writes to the file's end, which is at `offset_bytes` unless the kernel did something wrong before. A negative
  // result of the write is not an exception.
  virtual StreamWrite write(const RunFile& file, std::span<const std::byte> bytes, std::uint64_t offset_bytes) = 0;
  // Bytes that the writer put into the file beside the stream, acknowledged; they count for the expected size.
  virtual std::uint64_t other_bytes() const { return 0; }
  // After the last write to a file, before it is verified.
  virtual void finish(FileLog& log) { static_cast<void>(log); }
};

struct StreamShape {
  std::uint64_t write_min = 0, write_max = 0;  // bytes
  std::uint64_t file_bytes = 0;                // a file ends when it has reached this
  int open_flags = 0;                          // O_APPEND
  bool continue_short = true;                  // write the rest after a short result; false: go on with new data
  std::uint64_t files_max = 0;                 // 0: until the context's limits
};

// Runs until the context's limits. Throws SystemError when a write fails (after the file was verified).
void run_stream(RunContext& context, const StreamShape& shape, StreamWriter& writer);

// The options write_min_bytes, write_max_bytes, file_bytes and headroom_bytes, with defaults for this machine's page
// size.
std::vector<ProfileOption> armed_options();

struct ArmedSizes {
  std::uint64_t headroom = 0, write_min = 0, write_max = 0, file_bytes = 0;
};
// What those options come to in this run: as given, and else for the filesystem, of which a block may be larger than a
// page. Throws SystemError when the filesystem cannot be asked.
ArmedSizes armed_sizes(const RunContext& context);
// The shape that the armed profiles use.
StreamShape armed_shape(const RunContext& context, int open_flags);

}  // namespace writecanary::probe
