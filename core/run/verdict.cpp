#include "core/run/verdict.h"

#include <algorithm>

#include "core/base/error.h"

namespace writecanary {
namespace {

struct VerdictRow {
  Verdict verdict;
  std::string_view name;
  int exit_code;
  int alarm;  // the higher, the more alarming
};

// Indexed by the enumerator.
constexpr std::array<VerdictRow, kAllVerdicts.size()> kVerdicts = {{
    {Verdict::kClean, "clean", 0, 0},
    {Verdict::kCorrupt, "corrupt", 2, 8},
    {Verdict::kViolation, "violation", 6, 6},
    {Verdict::kUnexposed, "unexposed", 3, 2},
    {Verdict::kUnsupported, "unsupported", 4, 1},
    {Verdict::kError, "error", 5, 5},
    {Verdict::kStuck, "stuck", 5, 7},
    {Verdict::kStopped, "stopped", 3, 3},
    {Verdict::kInterrupted, "interrupted", 5, 4},
}};

constexpr std::array<std::string_view, 3> kStates = {"queued", "running", "finished"};

const VerdictRow& row_of(Verdict verdict) {
  const auto index = static_cast<std::size_t>(verdict);
  WC_CHECK(index < kVerdicts.size() && kVerdicts[index].verdict == verdict);
  return kVerdicts[index];
}

}  // namespace

std::string_view to_string(Verdict verdict) { return row_of(verdict).name; }

std::string_view to_string(RunState state) {
  const auto index = static_cast<std::size_t>(state);
  WC_CHECK(index < kStates.size());
  return kStates[index];
}

std::optional<Verdict> parse_verdict(std::string_view text) {
  const auto* row = std::ranges::find(kVerdicts, text, &VerdictRow::name);
  if (row == kVerdicts.end()) return std::nullopt;
  return row->verdict;
}

std::optional<RunState> parse_run_state(std::string_view text) {
  const auto* name = std::ranges::find(kStates, text);
  if (name == kStates.end()) return std::nullopt;
  return static_cast<RunState>(name - kStates.begin());
}

int exit_code(Verdict verdict) { return row_of(verdict).exit_code; }

std::optional<FailOn> parse_fail_on(std::string_view text) {
  if (text == to_string(Verdict::kViolation)) return FailOn::kViolation;
  if (text == to_string(Verdict::kCorrupt)) return FailOn::kCorrupt;
  return std::nullopt;
}

Verdict taken_as(Verdict verdict, FailOn fail_on) {
  return fail_on == FailOn::kCorrupt && verdict == Verdict::kViolation ? Verdict::kClean : verdict;
}

Verdict worse(Verdict a, Verdict b) { return row_of(a).alarm >= row_of(b).alarm ? a : b; }

}  // namespace writecanary
