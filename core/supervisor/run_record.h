// What a supervisor heard from one probe, and the result that follows from it.
//
// Pure: the supervisor feeds it events and, at the end, how the process went. The rule it keeps: the verdict comes
// from run_end alone; without one a run is an error, whatever the exit status says.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/run/protocol.h"
#include "core/run/run_result.h"
#include "core/run/run_spec.h"

namespace writecanary {

// What a result says differently to whoever has a daemon and to whoever sits at a terminal.
struct Wording {
  std::string stops = "a request";  // what told it to stop
  std::string memory = "Give the target more memory";
};

// How the process went, beside what it said.
struct ProcessEnd {
  pid_t pid = 0;
  std::optional<int> wait_status;  // nothing: it is still there
  std::string violation;           // how it broke the protocol; empty: it did not
  bool deadline_passed = false;
  bool stop_asked = false;
  bool killed = false;          // by us
  std::uint64_t oom_kills = 0;  // in its cgroup
  std::string last_words;       // the end of its stderr
  double elapsed_seconds = 0;
};

class RunRecord {
 public:
  explicit RunRecord(const RunSpec& spec, Wording wording = {});

  // Takes the next event. Throws ProtocolError when it does not belong here: before hello, a second hello, after
  // run_end, for another run, or more events than a run can have.
  void hear(Event event);

  const std::optional<Hello>& hello() const { return hello_; }
  const Progress& progress() const { return progress_; }
  bool ended() const { return end_.has_value(); }

  RunResult conclude(const ProcessEnd& process) const;
  // The same for a process that SIGKILL does not end: with a finding of its own.
  RunResult conclude_stuck(const ProcessEnd& process) const;

 private:
  void hear_finding(FindingEvent event);
  RunEnd end_without_verdict(const ProcessEnd& process) const;

  RunSpec spec_;
  Wording wording_;
  std::uint64_t events_left_;
  std::optional<Hello> hello_;
  Progress progress_;
  std::vector<Finding> findings_;
  std::vector<Finding> early_;  // told early, and not yet again
  FindingTally heard_;          // findings that came as events, without those
  std::optional<double> first_finding_seconds_;
  std::optional<RunEnd> end_;
};

// The result of a run whose probe was never started.
RunResult result_without_probe(const RunSpec& spec, Verdict verdict, const std::string& reason);

}  // namespace writecanary
