// What was asked of the kernel for one file, and what it acknowledged: the truth that the file is judged by.
//
// A write with result r acknowledges the stream bytes [stream_offset, stream_offset + r), and the writer's next write
// begins at stream_offset + r: the acknowledged stream has no holes. What a short or failed write did not acknowledge
// may or may not be in the file and is not judged.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/run/finding.h"
#include "probe/pattern/pattern.h"

namespace writecanary::probe {

struct FileLog {
  std::string name;  // inside the run's directory
  Tag tag;           // of every word in the file; its writer is ignored
  bool incompressible = true;
  std::vector<std::vector<WriteRef>> writers;  // per writer, in the order of the writes
  // The one of them that made the file longer instead of writing to it: its stream is zeros.
  std::optional<std::uint32_t> extender = {};
};

// A log with its sums and searches. Refers to the log, which must outlive it and stay as it is.
class LogIndex {
 public:
  // A log whose streams have holes is a bug of the caller and aborts.
  explicit LogIndex(const FileLog& log);

  const FileLog& log() const { return log_; }
  std::uint32_t writers() const { return static_cast<std::uint32_t>(streams_.size()); }
  const Pattern& pattern(std::uint32_t writer) const { return streams_[writer].pattern; }
  // What the writer's stream has from there on.
  void expect(std::uint32_t writer, std::uint64_t stream_offset, std::span<std::byte> bytes) const;
  // Stream bytes that the kernel acknowledged to this writer.
  std::uint64_t acknowledged_bytes(std::uint32_t writer) const { return streams_[writer].acknowledged; }
  // End of what this writer ever asked to be written.
  std::uint64_t attempted_bytes(std::uint32_t writer) const { return streams_[writer].attempted; }
  std::uint64_t acknowledged_bytes() const;
  std::uint64_t attempted_bytes() const;  // counts repeated attempts each
  std::uint64_t write_count() const;

  // The write that acknowledged this byte of the stream; null when none did. Lives as long as the log.
  const WriteRef* find_write(std::uint32_t writer, std::uint64_t stream_offset) const;
  // Whether an acknowledged or requested write ends here.
  bool ends_write(std::uint32_t writer, std::uint64_t stream_offset) const;

  // What a short or failed write left unacknowledged: the stream bytes [begin, end).
  struct Tail {
    std::uint64_t begin;
    std::uint64_t end;
    // Whether it may be in the file all the same. After an error nobody knows. A short result and EAGAIN say what is
    // there, and that it can be gone on from: what a writer that is alone then writes would be there twice.
    bool excused;
  };
  const std::vector<Tail>& tails(std::uint32_t writer) const { return streams_[writer].tails; }

 private:
  struct Stream {
    Pattern pattern;
    std::uint64_t acknowledged = 0;
    std::uint64_t attempted = 0;
    std::vector<Tail> tails = {};  // by begin
  };

  const FileLog& log_;
  std::vector<Stream> streams_;
};

// Bytes that the write was acknowledged with: its result, or 0 if that is an error.
std::uint64_t acknowledged(const WriteRef& write);

}  // namespace writecanary::probe
