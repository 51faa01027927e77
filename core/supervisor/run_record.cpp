#include "core/supervisor/run_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/limits.h"
#include "core/process/probe_process.h"

namespace writecanary {
namespace {

// A probe reports four times a second and each finding once; several times that is a broken probe, not a busy one.
constexpr std::uint64_t kEventsBase = 20'000;
constexpr std::uint64_t kEventsPerSecond = 20;

std::string how_it_ended(const ProcessEnd& process, const Wording& wording) {
  std::string text = process.wait_status ? describe_wait_status(*process.wait_status) : "it is still there";
  if (process.stop_asked) text += fmt::format("; it was told to stop by {}", wording.stops);
  if (process.deadline_passed) text += "; it was told to stop because it ran over its time";
  if (process.killed && (process.stop_asked || process.deadline_passed)) text += ", and killed before it did";
  return text;
}

}  // namespace

RunRecord::RunRecord(const RunSpec& spec, Wording wording)
    : spec_(spec),
      wording_(std::move(wording)),
      events_left_(kEventsBase + kEventsPerSecond * (spec.duration_ms / 1000)) {}

void RunRecord::hear(Event event) {
  if (events_left_ == 0) throw ProtocolError("events without end");
  --events_left_;
  if (end_) throw ProtocolError("an event after run_end");
  if (auto* hello = std::get_if<Hello>(&event)) {
    if (hello_) throw ProtocolError("a second hello");
    if (hello->run_id != spec_.run_id) {
      throw ProtocolError(
          fmt::format("a hello for run \"{}\" from the probe of run \"{}\"", hello->run_id, spec_.run_id));
    }
    hello_ = std::move(*hello);
    return;
  }
  if (!hello_) throw ProtocolError("an event before hello");
  if (auto* progress = std::get_if<Progress>(&event)) {
    progress_ = *progress;
  } else if (auto* found = std::get_if<FindingEvent>(&event)) {
    hear_finding(std::move(*found));
  } else {
    end_ = std::get<RunEnd>(std::move(event));
  }
}

void RunRecord::hear_finding(FindingEvent event) {
  if (!first_finding_seconds_) first_finding_seconds_ = progress_.elapsed_seconds;
  if (!event.early) {
    early_.clear();
    heard_.add(event.finding.kind, event.finding.length_bytes);
  }
  auto& known = event.early ? early_ : findings_;
  if (known.size() < kFindingsPerRun) known.push_back(std::move(event.finding));
}

RunEnd RunRecord::end_without_verdict(const ProcessEnd& process) const {
  RunEnd end;
  end.verdict = Verdict::kError;
  end.counters = progress_.counters;
  // The probe's own totals are exact and reach beyond the findings that it sent in full.
  end.tally = progress_.tally.total() > heard_.total() ? progress_.tally : heard_;
  for (const Finding& finding : early_) end.tally.add(finding.kind, finding.length_bytes);
  end.duration_seconds = process.elapsed_seconds;
  end.first_finding_seconds = first_finding_seconds_;
  end.reason = fmt::format("the probe ended without a verdict: {}", how_it_ended(process, wording_));
  if (process.oom_kills > 0) {
    end.counters.oom_kills = std::max(end.counters.oom_kills, process.oom_kills);
    end.reason += fmt::format("; the kernel killed {} of its processes because its memory limit was reached. {}",
                              process.oom_kills, wording_.memory);
  }
  if (!process.last_words.empty()) end.reason += "; its last words: " + process.last_words;
  return end;
}

RunResult RunRecord::conclude(const ProcessEnd& process) const {
  RunResult result{spec_.profile, spec_.seed, {}, {}, spec_.pressure, {}, findings_};
  if (hello_) {
    result.kernel = hello_->kernel;
    result.filesystem = hello_->filesystem;
    result.pressure = hello_->pressure;
  }
  result.end = end_ ? *end_ : end_without_verdict(process);
  for (const Finding& finding : early_) {
    if (end_ || result.findings.size() == kFindingsPerRun) break;
    result.findings.push_back(finding);
  }
  if (result.end.filesystem) result.filesystem = *result.end.filesystem;
  if (!process.violation.empty()) {
    // Nothing that such a probe calls clean is clean; what it found stays found.
    result.end.verdict = worse(result.end.verdict, Verdict::kError);
    const auto blame = "the probe broke the protocol: " + process.violation;
    result.end.reason = end_ ? blame + "; it had said: " + end_->reason : blame;
    if (!end_ && !process.last_words.empty()) result.end.reason += "; its last words: " + process.last_words;
  }
  return result;
}

RunResult RunRecord::conclude_stuck(const ProcessEnd& process) const {
  auto result = conclude(process);
  Finding finding;
  finding.kind = FindingKind::kStuck;
  // The process that was started may be gone and one that it left behind hang.
  const std::string pid = process.wait_status ? "PID" : std::to_string(process.pid);
  finding.detail = fmt::format(
      "a process of the probe is still there {:.1f} s after the run began, although it was killed: it hangs in the "
      "kernel, most likely in a call on {} (see /proc/{}/stack and the kernel log). Its files are left in "
      "{}/.writecanary",
      process.elapsed_seconds, spec_.path, pid, spec_.path);
  result.end.tally.add(FindingKind::kStuck, 0);
  result.end.verdict = worse(result.end.verdict, Verdict::kStuck);
  result.end.reason = end_ ? finding.detail + "; before that: " + end_->reason : finding.detail;
  if (result.findings.size() == kFindingsPerRun) result.findings.pop_back();
  result.findings.push_back(std::move(finding));
  return result;
}

RunResult result_without_probe(const RunSpec& spec, Verdict verdict, const std::string& reason) {
  RunResult result{spec.profile, spec.seed, {}, {}, spec.pressure, {}, {}};
  result.end.verdict = verdict;
  result.end.reason = reason;
  return result;
}

}  // namespace writecanary
