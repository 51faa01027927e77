// What a run concluded, and where it is in its life.
//
// A verdict is the judgement of one run. Only kClean is a pass, and the judge (probe/run/judge.h) gives it only to a
// run that reached the kernel path it watches often enough; a run that never got there is kUnexposed. How a verdict is
// reached is not decided here.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace writecanary {

enum class Verdict : std::uint8_t {
  kClean,        // reached the trigger often enough, and every acknowledged byte was right
  kCorrupt,      // at least one finding of class corruption: bytes are wrong
  kViolation,    // findings of class atomicity or contract only: a promise is broken, and no acknowledged byte is wrong
  kUnexposed,    // finished, but did not reach the trigger often enough to say anything
  kUnsupported,  // kernel, filesystem or privileges do not allow the workload here
  kError,        // failed to run: I/O error, killed, probe died without a verdict
  kStuck,        // the probe did not end when told, not even by SIGKILL
  kStopped,      // a person or a shutdown stopped it before it had evidence
  kInterrupted,  // the daemon died under it
};

inline constexpr std::array kAllVerdicts = {Verdict::kClean,     Verdict::kCorrupt,     Verdict::kViolation,
                                            Verdict::kUnexposed, Verdict::kUnsupported, Verdict::kError,
                                            Verdict::kStuck,     Verdict::kStopped,     Verdict::kInterrupted};

enum class RunState : std::uint8_t { kQueued, kRunning, kFinished };

std::string_view to_string(Verdict verdict);
std::string_view to_string(RunState state);

// The inverse of to_string; nothing for any other text.
std::optional<Verdict> parse_verdict(std::string_view text);
std::optional<RunState> parse_run_state(std::string_view text);

// Exit code of `check`, `run --wait` and `gate`: 0 clean, 2 corrupt, 3 inconclusive, 4 unsupported, 5 failed to run,
// 6 violation.
int exit_code(Verdict verdict);

// What a caller takes as a failure of the kernel (`--fail-on`).
enum class FailOn : std::uint8_t { kViolation, kCorrupt };

std::optional<FailOn> parse_fail_on(std::string_view text);
// The verdict as the caller takes it: with kCorrupt a violation counts as clean. Of several runs each is taken so
// before the worst is looked for, or else a violation would hide that another run proved nothing.
Verdict taken_as(Verdict verdict, FailOn fail_on);

// The verdict that stands for several runs, the most alarming first: corrupt, stuck, violation, error, interrupted,
// stopped, unexposed, unsupported, clean. So a set is clean only if every member is.
Verdict worse(Verdict a, Verdict b);

}  // namespace writecanary
