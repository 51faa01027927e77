// Fills a database with the history of a large host, through the storage library: page_database FILE.
// 64 targets with three profiles each and 10,000 runs over the last week; one in fifty tore an append.
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/run/run_spec.h"
#include "storage/store/store.h"

namespace writecanary {
namespace {

constexpr int kTargets = 64;
constexpr int kRuns = 10'000;
constexpr std::int64_t kWeekMs = 7LL * 24 * 3600 * 1000;
constexpr std::array kProfiles = {"append", "nowait-contract", "append-interposed"};

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

RunResult result_of(int number, const std::string& profile) {
  RunResult result;
  result.profile = profile;
  result.seed = static_cast<std::uint64_t>(number);
  result.kernel = {"6.18.44", "#1 SMP", "x86_64"};
  result.filesystem = {"xfs", "/dev/sda1", "/data", "rw", "8:1", ""};
  result.pressure = {"cgroup2", "/sys/fs/cgroup/run", ""};
  result.end.counters.writes = result.end.counters.exposures = result.end.counters.punted = 200;
  result.end.counters.bytes_written = result.end.counters.bytes_verified = 80'000'000;
  result.end.duration_seconds = 4.2;
  result.end.verdict = Verdict::kClean;
  result.end.reason = "200 of 200 writes were exposed";
  if (number % 50 != 0) return result;
  Finding finding;
  finding.kind = FindingKind::kTorn;
  finding.file = "file-1";
  finding.offset_bytes = 327'680;
  finding.length_bytes = 6200;
  finding.detail = "write 0 is split";
  result.end.verdict = Verdict::kCorrupt;
  result.end.tally.add(finding.kind, finding.length_bytes);
  result.findings.push_back(finding);
  return result;
}

void fill(const std::string& path) {
  const auto opened = storage::Store::open(path);
  storage::Store& store = *opened;
  const std::int64_t first_ms = now_ms() - kWeekMs;
  for (int number = 0; number < kRuns; ++number) {
    const std::int64_t at_ms = first_ms + kWeekMs / kRuns * number;
    storage::RunRow run;
    run.target = fmt::format("target-{:02}", number % kTargets);
    run.trigger = "schedule";
    run.queued_at_ms = at_ms;
    run.result.profile = kProfiles[static_cast<std::size_t>(number / kTargets) % kProfiles.size()];
    run.result.seed = static_cast<std::uint64_t>(number);
    const std::int64_t id = store.add_run(run);
    store.set_spec(id, nlohmann::json(RunSpec{}).dump());
    store.start_run(id, at_ms);
    store.finish_run(id, result_of(number, run.result.profile), at_ms + 4200);
  }
}

}  // namespace
}  // namespace writecanary

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: page_database FILE\n");
    return EXIT_FAILURE;
  }
  writecanary::fill(argv[1]);
  return EXIT_SUCCESS;
}
