// The language between probe and supervisor: a RunSpec as JSON on the probe's stdin, NDJSON events on its stdout.
//
// `hello` comes first and carries the protocol version, `run_end` last; a stream without `run_end` has no verdict.
// Both sides share only this file. Reading and writing descriptors is left to them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "core/base/error.h"
#include "core/run/run_result.h"

namespace writecanary {

inline constexpr int kProtocolVersion = 3;

struct Hello {
  int protocol = kProtocolVersion;
  std::string probe_version;
  std::string run_id;
  std::string profile;
  std::uint64_t seed = 0;
  KernelFacts kernel;
  // By the name of the path alone: the probe says this before the first call that a sick filesystem could keep. What
  // was opened in the end is in RunEnd.
  FilesystemFacts filesystem;
  PressureFacts pressure;
};

struct Progress {
  double elapsed_seconds = 0;
  double fraction = 0;  // 0..1 of the nearest limit (time, writes or bytes)
  RunCounters counters;
  FindingTally tally;
};

struct FindingEvent {
  Finding finding;
  // Told before anything more is done about it that may fail or hang, such as a look at storage. The next finding that
  // is not early takes the place of all that were; those of a probe that does not get so far are its findings.
  bool early = false;
};

using Event = std::variant<Hello, Progress, FindingEvent, RunEnd>;

// One line without the newline. Throws ProtocolError when it would be longer than kProtocolLineBytes.
std::string encode(const Event& event);
// Throws ProtocolError: not JSON, unknown event, other protocol version, missing or wrong field.
Event decode(std::string_view line);

// Cuts a byte stream into lines. Not thread-safe; owns its buffer.
class LineReader {
 public:
  // Calls on_line for each complete line, without its newline. Throws ProtocolError when a line exceeds
  // kProtocolLineBytes; nothing more can then be read from this stream.
  void feed(std::string_view bytes, const std::function<void(std::string_view)>& on_line);

 private:
  std::string partial_;
};

}  // namespace writecanary
