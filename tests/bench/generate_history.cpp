// Fills a new database with the history of a busy host, through the storage library: what tests/bench/scale measures.
//
//   generate_history FILE [RUNS] [FINDINGS]      one million and 50,000 unless told otherwise
#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <exception>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/limits.h"
#include "core/run/run_spec.h"
#include "storage/store/store.h"
#include "storage/tables/events.h"
#include "storage/tables/rows.h"
#include "storage/tables/run_end.h"

namespace writecanary::storage {
namespace {

constexpr int kTargets = 64;
constexpr std::array kProfiles = {"append",        "nowait-contract", "append-interposed", "append-concurrent",
                                  "offset",        "append-async",    "append-sync",       "tail-reader",
                                  "shared-blocks", "large-folio",     "collapse",          "direct-append"};
constexpr std::array kKernels = {"6.1.0-18-amd64", "6.1.0-29-amd64", "6.1.170", "6.6.143", "6.12.94", "6.12.117"};
constexpr std::int64_t kFirstRunMs = 1'760'000'000'000;
constexpr std::int64_t kBetweenRunsMs = 5'000;
// The beginning of the history is written run by run; the rest are copies of it with later ids and times, which takes
// a tenth of the time.
constexpr std::uint64_t kCopies = 50;

// A column and what a copy has there; `k` stands for the number of the copy.
using Shifts = std::vector<std::pair<std::string, std::string>>;

class History {
 public:
  History(const std::string& path, std::uint64_t runs, std::uint64_t findings)
      : database_(path, SQLite::OPEN_READWRITE),
        runs_(std::max<std::uint64_t>(runs / kCopies, 1)),
        corrupt_every_(findings == 0 ? 0 : std::max<std::uint64_t>(runs * kFindingsPerRun / findings, 1)) {
    database_.exec("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -200000");
  }

  void write() {
    SQLite::Transaction transaction(database_);
    for (std::uint64_t number = 0; number < runs_; ++number) add(number);
    const auto findings = count("findings");
    const auto events = count("events");
    const auto shift = fmt::format(" + k * {}", runs_ * kBetweenRunsMs);
    for (std::uint64_t k = 1; k < kCopies; ++k) {
      fmt::print(stderr, "\r{} of {} copies", k + 1, kCopies);
      copy("runs", k,
           {{"id", fmt::format("id + k * {}", runs_)},
            {"queued_at_ms", "queued_at_ms" + shift},
            {"started_at_ms", "started_at_ms" + shift},
            {"finished_at_ms", "finished_at_ms" + shift}},
           runs_);
      copy("findings", k,
           {{"id", fmt::format("id + k * {}", findings)},
            {"run_id", fmt::format("run_id + k * {}", runs_)},
            {"found_at_ms", "found_at_ms" + shift}},
           findings);
      copy("events", k,
           {{"id", fmt::format("id + k * {}", events)},
            {"run_id", fmt::format("run_id + k * {}", runs_)},
            {"finding_id", fmt::format("finding_id + k * {}", findings)},
            {"at_ms", "at_ms" + shift}},
           events);
    }
    database_.exec(
        fmt::format("UPDATE totals SET runs = runs * {0}, writes = writes * {0}, exposures = exposures * {0}; "
                    "UPDATE incidents SET findings = findings * {0}, runs_with = runs_with * {0}, runs = runs * {0}",
                    kCopies));
    transaction.commit();
    fmt::print(stderr, "\n");
    database_.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  }

 private:
  std::uint64_t count(const std::string& table) {
    return database_.execAndGet("SELECT count(*) FROM " + table).getUInt();
  }

  // Rows with ids from 1 to `rows`, once more.
  void copy(const std::string& table, std::uint64_t k, const Shifts& shifts, std::uint64_t rows) {
    std::string columns;
    std::string values;
    SQLite::Statement names(database_, fmt::format("SELECT name FROM pragma_table_info('{}')", table));
    while (names.executeStep()) {
      const std::string name = names.getColumn(0).getString();
      const auto shifted = std::ranges::find(shifts, name, &Shifts::value_type::first);
      columns += (columns.empty() ? "" : ", ") + name;
      values += (values.empty() ? "" : ", ") + (shifted == shifts.end() ? name : shifted->second);
    }
    for (auto at = values.find(" k "); at != std::string::npos; at = values.find(" k ")) {
      values.replace(at, 3, fmt::format(" {} ", k));
    }
    database_.exec(fmt::format("INSERT INTO {0} ({1}) SELECT {2} FROM {0} WHERE id <= {3} ORDER BY id", table, columns,
                               values, rows));
  }

  template <typename Names>
  std::string any_of(const Names& names) {
    return names[random_() % std::size(names)];
  }

  Verdict draw_verdict(std::uint64_t number) {
    if (corrupt_every_ != 0 && number % corrupt_every_ == corrupt_every_ / 2) return Verdict::kCorrupt;
    const auto draw = random_() % 1000;
    if (draw < 5) return Verdict::kError;
    if (draw < 8) return Verdict::kStopped;
    return draw < 30 ? Verdict::kUnexposed : Verdict::kClean;
  }

  RunRow draw_run(std::uint64_t number) {
    RunRow run;
    run.target = fmt::format("target-{:02}", random_() % kTargets);
    run.trigger = "schedule";
    run.queued_at_ms = kFirstRunMs + static_cast<std::int64_t>(number) * kBetweenRunsMs;
    run.result.profile = any_of(kProfiles);
    run.result.seed = random_();
    run.result.kernel = {any_of(kKernels), "#1 SMP PREEMPT_DYNAMIC Debian", "x86_64"};
    run.result.filesystem = {"xfs", "/dev/mapper/" + run.target, "/" + run.target, "rw,relatime,attr2,inode64", "253:0",
                             ""};
    run.result.pressure = {"cgroup2", "/sys/fs/cgroup/system.slice/writecanary.service/wc-run", ""};
    RunSpec spec;
    spec.profile = run.result.profile;
    spec.path = "/" + run.target;
    spec.seed = run.result.seed;
    run.spec_json = nlohmann::json(spec).dump();
    return run;
  }

  Finding draw_finding(std::uint64_t index) {
    Finding finding;
    finding.kind = index % 3 == 0 ? FindingKind::kDuplicate : FindingKind::kTorn;
    finding.file = "run-0.bin";
    finding.offset_bytes = index * 262'144;
    finding.length_bytes = 8192;
    finding.page_aligned = true;
    finding.write = WriteRef{index, 0, finding.offset_bytes, 262'144, Route::kPunted, 262'144, 8192};
    finding.expected_hex = std::string(256, 'a');
    finding.found_hex = std::string(256, 'b');
    finding.detail = "8192 bytes of an earlier offset stand here again";
    return finding;
  }

  void add(std::uint64_t number) {
    RunRow run = draw_run(number);
    const Verdict verdict = draw_verdict(number);
    run.state = RunState::kRunning;
    run.started_at_ms = run.queued_at_ms;
    run.id = insert_run(database_, run);
    append_run_event(database_, "run.queued", run.queued_at_ms, run);
    append_run_event(database_, "run.started", run.queued_at_ms, run);
    RunEnd& end = run.result.end;
    end.verdict = verdict;
    end.reason = "1200 of 1200 writes ran the watched path";
    end.duration_seconds = 10;
    end.counters.writes = end.counters.exposures = 1200;
    end.counters.bytes_written = end.counters.bytes_verified = 314'572'800;
    std::vector<Finding> findings;
    for (std::uint64_t i = 0; verdict == Verdict::kCorrupt && i < kFindingsPerRun; ++i) {
      findings.push_back(draw_finding(i));
      end.tally.add(findings.back().kind, findings.back().length_bytes);
    }
    run.state = RunState::kFinished;
    run.verdict = verdict;
    run.finished_at_ms = run.queued_at_ms + 10'000;
    end_run(database_, run, findings);
  }

  SQLite::Database database_;
  std::uint64_t runs_;
  std::uint64_t corrupt_every_;
  std::mt19937_64 random_{42};
};

std::uint64_t number_or(int argc, char** argv, int index, std::uint64_t otherwise) {
  if (index >= argc) return otherwise;
  const std::string_view text = argv[index];
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw std::invalid_argument(fmt::format("\"{}\" is not a number", text));
  }
  return value;
}

}  // namespace
}  // namespace writecanary::storage

int main(int argc, char** argv) {
  try {
    if (argc < 2) throw std::invalid_argument("usage: generate_history FILE [RUNS] [FINDINGS]");
    writecanary::storage::Store::open(argv[1]);  // makes the schema, and is closed again
    writecanary::storage::History(argv[1], writecanary::storage::number_or(argc, argv, 2, 1'000'000),
                                  writecanary::storage::number_or(argc, argv, 3, 50'000))
        .write();
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "generate_history: {}\n", error.what());
    return 1;
  }
}
