#include "tests/unit/storage/support.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "storage/tables/rows.h"

namespace writecanary::storage {

TargetRow known_target(const std::string& name, const std::string& path) {
  TargetRow target;
  target.name = name;
  target.path = path;
  return target;
}

RunRow queued_run(const std::string& target, const std::string& profile, std::int64_t queued_at_ms) {
  RunRow run;
  run.target = target;
  run.trigger = "api";
  run.requested_by = "grafana";
  run.queued_at_ms = queued_at_ms;
  run.spec_json = R"({"seed":7})";
  run.result.profile = profile;
  run.result.seed = 7;
  return run;
}

Finding full_finding(FindingKind kind) {
  Finding finding;
  finding.kind = kind;
  finding.file = "run-1.0";
  finding.offset_bytes = 8'192;
  finding.length_bytes = 4'096;
  finding.source_offset_bytes = 4'096;
  finding.page_aligned = true;
  finding.write = WriteRef{.index = 3,
                           .writer = 1,
                           .stream_offset_bytes = 12'288,
                           .length_bytes = 65'544,
                           .route = Route::kPunted,
                           .result = -11,
                           .inline_bytes = 4'096};
  finding.intruder = WriteRef{.index = 4,
                              .writer = 2,
                              .stream_offset_bytes = 16'384,
                              .length_bytes = 8,
                              .route = Route::kInline,
                              .result = 8,
                              .inline_bytes = 0};
  finding.context_offset_bytes = 8'128;
  finding.expected_hex = "00ff";
  finding.found_hex = "ff00";
  finding.detail = "4096 bytes stand twice";
  return finding;
}

RunResult result_with(Verdict verdict, std::initializer_list<FindingKind> kinds, const std::string& kernel_release) {
  RunResult result;
  result.profile = "append";
  result.seed = 7;
  result.kernel = {"6.1.0", "#1 SMP", "x86_64"};
  result.kernel.release = kernel_release;
  result.filesystem = {"xfs", "/dev/sda2", "/data", "rw,noatime", "8:2", "2f4b6c1e-0000-4000-8000-00000000000a"};
  result.pressure = {"cgroup2", "/sys/fs/cgroup/run", ""};
  result.end.verdict = verdict;
  result.end.reason = "because";
  result.end.duration_seconds = 1.5;
  if (kinds.size() > 0) result.end.first_finding_seconds = 0.25;
  std::uint64_t value = 0;
  for (const CounterColumn& column : kCounterColumns) result.end.counters.*column.member = ++value;
  for (const FindingKind kind : kinds) {
    result.findings.push_back(full_finding(kind));
    result.end.tally.add(kind, 4'096);
  }
  return result;
}

std::int64_t finished_run(Store& store, const RunResult& result, const std::string& target, const std::string& profile,
                          std::int64_t finished_at_ms) {
  const std::int64_t id = store.add_run(queued_run(target, profile, finished_at_ms - 2'000));
  store.start_run(id, finished_at_ms - 1'000);
  store.finish_run(id, result, finished_at_ms);
  return id;
}

std::vector<std::int64_t> remove_runs_before(Store& store, std::int64_t before_ms, int batch) {
  auto ids = store.removable_runs(before_ms, before_ms, batch);
  store.remove_runs(ids);
  store.remove_events_before(before_ms, batch);
  return ids;
}

std::string file_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

SQLite::Database raw(const std::string& path) { return {path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 5'000}; }

std::string storage_error(const std::function<void()>& call) {
  try {
    call();
  } catch (const StorageError& error) {
    return error.what();
  }
  ADD_FAILURE() << "no StorageError was thrown";
  return "";
}

}  // namespace writecanary::storage
