#include "cli/check/check_cases.h"

#include <fmt/format.h>

#include "cli/check/check_report.h"
#include "cli/terminal/run_view.h"
#include "core/base/system_text.h"
#include "core/base/version.h"
#include "core/host/host_facts.h"
#include "core/run/seed.h"

namespace writecanary::cli {
namespace {

TestCase::Result result_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kClean:
      return TestCase::Result::kPassed;
    case Verdict::kCorrupt:
    case Verdict::kViolation:
      return TestCase::Result::kFailed;
    case Verdict::kUnexposed:
    case Verdict::kUnsupported:
    case Verdict::kStopped:
      return TestCase::Result::kSkipped;
    case Verdict::kError:
    case Verdict::kStuck:
    case Verdict::kInterrupted:
      break;
  }
  return TestCase::Result::kError;
}

std::string figures(const RunResult& run) {
  const RunCounters& counters = run.end.counters;
  return fmt::format("seed {}, {} writes, {} exposures, {} bytes verified, findings: {}\n", seed_text(run.seed),
                     counters.writes, counters.exposures, counters.bytes_verified, format_counts(run.end.tally));
}

TestCase case_of(const RunSpec& spec, const RunResult& run, const Catalogue& catalogue, FailOn fail_on) {
  TestCase test;
  test.name = run.profile;
  test.result = result_of(taken_as(run.end.verdict, fail_on));
  test.verdict = to_string(run.end.verdict);
  test.reason = run.end.reason;
  test.details = figures(run);
  if (!run.findings.empty()) test.details += "\n" + first_report(spec, run, catalogue);
  test.seconds = run.end.duration_seconds;
  return test;
}

TestCase left_out(const RunSpec& spec) {
  TestCase test;
  test.name = spec.profile;
  test.result = TestCase::Result::kSkipped;
  test.verdict = to_string(Verdict::kStopped);
  test.reason = "not begun before Ctrl-C";
  return test;
}

}  // namespace

TestSuite check_suite(const Environment& environment, const std::vector<RunSpec>& specs,
                      const std::vector<RunResult>& runs, const Catalogue& catalogue, FailOn fail_on) {
  const RunResult& last = runs.back();
  TestSuite suite;
  suite.name = "writecanary";
  if (!last.filesystem.type.empty()) suite.name += "." + last.filesystem.type;
  suite.hostname = host_name();
  suite.at_ms = to_unix_ms(environment.clock.now());
  suite.facts = {{"writecanary", std::string(kVersion)},    {"kernel", last.kernel.release},
                 {"kernel version", last.kernel.version},   {"machine", last.kernel.machine},
                 {"path", system_name(specs.front().path)}, {"filesystem", describe(last.filesystem)},
                 {"memory cgroup", last.pressure.backend}};
  for (std::size_t index = 0; index < specs.size(); ++index) {
    suite.cases.push_back(index < runs.size() ? case_of(specs[index], runs[index], catalogue, fail_on)
                                              : left_out(specs[index]));
  }
  return suite;
}

}  // namespace writecanary::cli
