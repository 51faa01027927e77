// Which writes were handed to io-wq, out of the text of the kernel's tracepoints of io_uring.
//
// A request whose inline attempt gave up is told from one that was to go to a worker at once (IOSQE_ASYNC, and what the
// kernel itself never tries inline): only the first can leave its beginning in the file. Pure but for what `Resolve`
// does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "cli/at_risk/scan.h"

namespace writecanary::cli {

// One line of trace_pipe of an event that is asked for.
struct TraceLine {
  enum class Event : std::uint8_t { kFileGet, kQueued };
  Event event = Event::kFileGet;
  int tid = 0;
  std::string request;  // its address, or what the kernel shows for it
  int fd = -1;          // of kFileGet
  std::string opcode;   // of kQueued: "WRITE", on older kernels a number
  bool fixed_file = false;
  bool forced = false;
};

// Nothing for any other line.
std::optional<TraceLine> parse_trace_line(std::string_view line);
// "CPU:1 [LOST 12 EVENTS]" -> 12, else 0.
std::uint64_t lost_events(std::string_view line);

struct Punted {
  Process process;
  std::string opcode;
  std::optional<AppendFile> file = {};  // nothing: not opened with O_APPEND, or not known (a registered file)
  std::uint64_t punted = 0;             // after an inline attempt
  std::uint64_t forced = 0;             // without one
};

class PuntedCounter {
 public:
  struct Resolve {
    std::function<Process(int tid)> process;
    std::function<std::optional<AppendFile>(int tid, int fd)> file;
  };
  explicit PuntedCounter(Resolve resolve) : resolve_(std::move(resolve)) {}

  // Text as it comes: lines may be cut anywhere. What descriptors stand for is asked once per call and descriptor, as
  // they may be others later.
  void add(std::string_view text);

  std::uint64_t lost() const { return lost_; }
  std::vector<Punted> counts() const;  // the most first

 private:
  using Files = std::map<std::pair<int, int>, std::optional<AppendFile>>;
  using Key = std::tuple<int, std::string, std::string>;  // process, opcode, file

  void count(const TraceLine& line, Files& files);
  const Process& process_of(int tid);

  Resolve resolve_;
  std::string rest_;
  std::uint64_t lost_ = 0;
  std::map<std::string, int> fds_;    // of requests, by their address
  std::map<int, Process> processes_;  // by thread
  std::map<Key, Punted> counts_;
};

}  // namespace writecanary::cli
