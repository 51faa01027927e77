// Store: the life of a run from the queue to its end.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/run/seed.h"
#include "storage/database/columns.h"
#include "storage/store/store_state.h"
#include "storage/tables/events.h"
#include "storage/tables/rows.h"
#include "storage/tables/run_end.h"

namespace writecanary::storage {

namespace {

// The run, which must be in one of the two states. Throws StorageError that says what it is instead.
RunRow run_in_state(const SQLite::Database& database, const std::string& tried, std::int64_t id, RunState state,
                    RunState or_state) {
  std::optional<RunRow> run = find_run(database, id);
  if (!run) throw StorageError(tried + ": there is no such run");
  if (run->state != state && run->state != or_state) {
    throw StorageError(fmt::format("{}: the run is {} already", tried, to_string(run->state)));
  }
  return *std::move(run);
}

RunRow unfinished_run(const SQLite::Database& database, const std::string& tried, std::int64_t id) {
  return run_in_state(database, tried, id, RunState::kQueued, RunState::kRunning);
}

// What the result knows replaces what the row knew; what it does not know (the probe never said hello) stays.
void take_result(RunRow& run, const RunResult& result) {
  if (result.seed != 0) run.result.seed = result.seed;
  if (!result.kernel.release.empty()) run.result.kernel = result.kernel;
  if (!result.filesystem.type.empty()) run.result.filesystem = result.filesystem;
  if (!result.pressure.backend.empty()) run.result.pressure = result.pressure;
  run.result.end = result.end;
}

void remember_key(SQLite::Database& database, const RequestKey& key, std::int64_t run_id, std::int64_t now_ms) {
  SQLite::Statement expire(database,
                           "DELETE FROM request_keys WHERE created_at_ms <= ? OR created_at_ms < (SELECT created_at_ms "
                           "FROM request_keys ORDER BY created_at_ms DESC LIMIT 1 OFFSET ?)");
  Binder(expire) << now_ms - kRequestKeyLifeMs << kRequestKeysMax - 2;
  expire.exec();
  SQLite::Statement insert(database,
                           "INSERT OR IGNORE INTO request_keys (caller, key, request, run_id, created_at_ms) VALUES "
                           "(?, ?, ?, ?, ?)");
  Binder(insert) << key.caller << key.key << key.request << run_id << now_ms;
  insert.exec();
}

void take_spec(SQLite::Database& database, RunRow& run, const std::string& spec_json) {
  run.spec_json = spec_json;
  const nlohmann::json spec = nlohmann::json::parse(spec_json);
  run.result.seed = parse_seed(spec.value("seed", nlohmann::json())).value_or(run.result.seed);
  update_run(database, run);
}

void finish(RunRow& run, Verdict verdict, std::int64_t now_ms) {
  run.state = RunState::kFinished;
  run.verdict = verdict;
  run.finished_at_ms = now_ms;
}

}  // namespace

std::int64_t Store::add_run(const RunRow& run, const RequestKey& key, std::optional<std::int64_t> key_time_ms,
                            const std::function<std::string(std::int64_t)>& spec_of) {
  return state_->change(fmt::format("add a run of {} on target \"{}\"", run.result.profile, run.target), [&] {
    RunRow row = run;
    row.state = RunState::kQueued;
    row.verdict.reset();
    row.started_at_ms.reset();
    row.finished_at_ms.reset();
    row.id = insert_run(state_->database, row);
    if (spec_of) take_spec(state_->database, row, spec_of(row.id));
    append_run_event(state_->database, "run.queued", row.queued_at_ms, row);
    if (!key.key.empty()) {
      remember_key(state_->database, key, row.id, key_time_ms.value_or(row.queued_at_ms));
    }
    return row.id;
  });
}

void Store::set_spec(std::int64_t run_id, const std::string& spec_json) {
  const std::string tried = fmt::format("store the spec of run {}", run_id);
  state_->change(tried, [&] {
    RunRow run = unfinished_run(state_->database, tried, run_id);
    take_spec(state_->database, run, spec_json);
  });
}

void Store::start_run(std::int64_t run_id, std::int64_t now_ms) {
  const std::string tried = fmt::format("start run {}", run_id);
  state_->change(tried, [&] {
    RunRow run = run_in_state(state_->database, tried, run_id, RunState::kQueued, RunState::kQueued);
    run.state = RunState::kRunning;
    run.started_at_ms = now_ms;
    update_run(state_->database, run);
    append_run_event(state_->database, "run.started", now_ms, run);
  });
}

std::optional<RunRow> Store::last_run_with_facts(const std::string& target) {
  return state_->look(fmt::format("look up the last run on target \"{}\"", target), [&]() -> std::optional<RunRow> {
    SQLite::Statement select(
        state_->database,
        select_runs() + " WHERE target = ? AND filesystem_id IS NOT NULL ORDER BY runs.id DESC LIMIT 1");
    Binder(select) << target;
    if (!select.executeStep()) return std::nullopt;
    return run_of(select);
  });
}

void Store::set_facts(std::int64_t run_id, const KernelFacts& kernel, const FilesystemFacts& filesystem,
                      const PressureFacts& pressure) {
  const std::string tried = fmt::format("store the facts of run {}", run_id);
  state_->change(tried, [&] {
    RunRow run = unfinished_run(state_->database, tried, run_id);
    run.result.kernel = kernel;
    run.result.filesystem = filesystem;
    run.result.pressure = pressure;
    update_run(state_->database, run);
  });
}

std::vector<std::int64_t> Store::finish_run(std::int64_t run_id, const RunResult& result, std::int64_t now_ms) {
  const std::string tried = fmt::format("finish run {}", run_id);
  return state_->change(tried, [&] {
    RunRow run = unfinished_run(state_->database, tried, run_id);
    take_result(run, result);
    finish(run, result.end.verdict, now_ms);
    return end_run(state_->database, run, result.findings);
  });
}

std::vector<RunRow> Store::interrupt_unfinished(std::int64_t now_ms) {
  return state_->change("close the runs that an earlier daemon left", [&] {
    SQLite::Statement select(state_->database, select_runs() + " WHERE finished_at_ms IS NULL ORDER BY +runs.id");
    std::vector<RunRow> unfinished;
    while (select.executeStep()) unfinished.push_back(run_of(select));
    for (RunRow run : unfinished) {
      run.result.end.reason = run.state == RunState::kRunning ? "the daemon ended while this run was in progress"
                                                              : "the daemon ended while this run was waiting";
      finish(run, Verdict::kInterrupted, now_ms);
      end_run(state_->database, run, {});
    }
    return unfinished;
  });
}

}  // namespace writecanary::storage
