#include "api/metrics/metrics.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "api/metrics/metric_series.h"
#include "api/metrics/process_metrics.h"
#include "core/base/version.h"

namespace writecanary::api {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using Values = std::vector<std::string>;

// A run lasts ten seconds unless told otherwise; a day at most.
const Histogram::BucketBoundaries kRunSeconds = {0.5, 1, 2.5, 5, 10, 15, 30, 60, 120, 300, 900, 3600};
// Armed profiles find a broken kernel with their first writes.
const Histogram::BucketBoundaries kFirstFindingSeconds = {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
                                                          2.5,  5,     10,   30,  60,   300};

double seconds(std::int64_t unix_ms) { return static_cast<double>(unix_ms) / 1000; }
std::string text(std::string_view view) { return std::string(view); }

}  // namespace

struct Metrics::State {
  Series<Counter> counter(const std::string& name, const std::string& help, Values labels) {
    return {registries, "writecanary_" + name, help, std::move(labels)};
  }
  Series<Gauge> gauge(const std::string& name, const std::string& help, Values labels = {}) {
    return {registries, "writecanary_" + name, help, std::move(labels)};
  }
  Series<Histogram> histogram(const std::string& name, const std::string& help) {
    return {registries, "writecanary_" + name, help, {"target", "profile"}};
  }

  void add_pair(const std::string& target, const std::string& profile, const storage::TotalsRow* totals);
  void add_counts(const std::string& target, const std::string& profile, const RunCounters& counters,
                  const FindingTally& tally);
  void add_kernel_pair(const std::string& target, const std::string& profile, const storage::TotalsRow* totals);
  void add_kernel_counts(const std::string& target, const std::string& profile, const RunCounters& counters,
                         const FindingTally& tally);
  void mirror_schedule(const LiveState& state);
  void remove_target(const std::string& target);
  void set_last(const Values& pair, std::optional<std::int64_t> run_ms, std::optional<std::int64_t> clean_ms);

  MetricRegistries registries;
  std::set<std::string> targets;  // configured
  std::string release;            // the running kernel; empty before configure_kernel
  Series<Counter> runs = counter("runs_total", "Finished runs.", {"target", "profile", "verdict"});
  Series<Counter> findings = counter("findings_total", "Things that the kernel did wrong with acknowledged writes.",
                                     {"target", "profile", "kind"});
  Series<Counter> duplicate_bytes =
      counter("duplicate_bytes_total", "Bytes that were found in their file a second time.", {"target", "profile"});
  Series<Counter> writes = counter("writes_total", "Writes that got a result.", {"target", "profile"});
  Series<Counter> exposures =
      counter("exposures_total", "Writes that ran the kernel path which their profile watches.", {"target", "profile"});
  Series<Counter> bytes_written =
      counter("bytes_written_total", "Bytes that the kernel said it wrote.", {"target", "profile"});
  Series<Counter> bytes_verified =
      counter("bytes_verified_total", "Bytes that were read back and compared.", {"target", "profile"});
  Series<Counter> kernel_exposures =
      counter("kernel_exposures_total", "The part of writecanary_exposures_total that was made on the running kernel.",
              {"target", "profile", "release"});
  Series<Counter> kernel_findings =
      counter("kernel_findings_total", "The part of writecanary_findings_total that was made on the running kernel.",
              {"target", "profile", "kind", "release"});
  Series<Counter> kernel_runs =
      counter("kernel_runs_total", "The part of writecanary_runs_total that was made on the running kernel.",
              {"target", "profile", "verdict", "release"});
  Series<Gauge> open_incidents =
      gauge("open_incidents", "1 for each incident that is open on the running kernel: neither known nor resolved.",
            {"target", "profile", "kind", "class", "release"});
  Series<Histogram> run_duration = histogram("run_duration_seconds", "How long runs took.");
  Series<Histogram> first_finding =
      histogram("first_finding_seconds", "Time from the start of a run to its first finding, where there was one.");
  Series<Gauge> last_run =
      gauge("last_run_timestamp_seconds", "When the last run ended; 0: never.", {"target", "profile"});
  Series<Gauge> last_clean =
      gauge("last_clean_timestamp_seconds", "When the last clean run ended; 0: never.", {"target", "profile"});
  Series<Gauge> next_run =
      gauge("next_run_timestamp_seconds", "When the next run is due; 0: none is planned.", {"target", "profile"});
  Series<Gauge> in_progress = gauge("run_in_progress", "1 while a run works on the target.", {"target"});
  Series<Gauge> interval =
      gauge("schedule_interval_seconds", "How often the profile is to run; only of profiles that are configured.",
            {"target", "profile"});
  Series<Gauge> stuck = gauge("target_stuck", "1 while a probe on the target hangs in the kernel.", {"target"});
  Series<Gauge> paused = gauge("target_paused", "1 while the target's schedule is paused.", {"target"});
  Series<Gauge> target_info = gauge("target_info", "What the target is mounted from.", {"target", "fstype", "source"});
  Series<Gauge> target_filesystem =
      gauge("target_filesystem_info", "The filesystem that the last run on the target wrote to.",
            {"target", "fstype", "source", "device", "uuid"});
  Series<Gauge> kernel_info = gauge("kernel_info", "The running kernel.", {"release"});
  Series<Gauge> build_info = gauge("build_info", "This build.", {"version", "revision"});
  Series<Gauge> reload_successful =
      gauge("config_reload_successful", "0 when the last configuration that was read is invalid and not in use.");
  Series<Gauge> self_test =
      gauge("self_test_ok", "1 when every detector of this build found damage made for it and nothing in clean data.");
  Series<Gauge> ready = gauge("ready", "1 while the daemon can do its work; above all, write to its database.");
  Series<Counter> storage_errors =
      counter("storage_errors_total", "How often the database could not be read or written.", {});
  std::uint64_t storage_errors_counted = 0;
  Series<Gauge> clock_suspect =
      gauge("clock_suspect", "1 while the wall clock is not what it should be by the time that went by.");
  Series<Gauge> webhook_pending = gauge("webhook_pending", "Events that wait to be delivered to the webhook.");
  Series<Gauge> database_bytes = gauge("database_size_bytes", "Size of the database with its write-ahead log.");
  Series<Gauge> database_bytes_max =
      gauge("database_max_size_bytes", "Configured size beyond which the oldest runs are removed.");
  Series<Gauge> evidence_bytes = gauge("evidence_size_bytes", "Size of the damaged files that are kept as evidence.");
  Series<Gauge> evidence_bytes_max = gauge("evidence_max_size_bytes", "Configured size beyond which some are removed.");
};

void Metrics::State::set_last(const Values& pair, std::optional<std::int64_t> run_ms,
                              std::optional<std::int64_t> clean_ms) {
  if (run_ms) last_run.set(pair, seconds(*run_ms));
  if (clean_ms) last_clean.set(pair, seconds(*clean_ms));
}

void Metrics::State::add_counts(const std::string& target, const std::string& profile, const RunCounters& counters,
                                const FindingTally& tally) {
  const Values pair = {target, profile};
  for (const FindingKind kind : kAllFindingKinds) {
    findings.add({target, profile, text(to_string(kind))}, static_cast<double>(tally.count_of(kind)));
  }
  duplicate_bytes.add(pair, static_cast<double>(tally.bytes_of(FindingKind::kDuplicate)));
  writes.add(pair, static_cast<double>(counters.writes));
  exposures.add(pair, static_cast<double>(counters.exposures));
  bytes_written.add(pair, static_cast<double>(counters.bytes_written));
  bytes_verified.add(pair, static_cast<double>(counters.bytes_verified));
}

// Makes every series of a target and profile, once.
void Metrics::State::add_pair(const std::string& target, const std::string& profile, const storage::TotalsRow* totals) {
  const Values pair = {target, profile};
  if (last_run.has(pair)) return;
  const storage::TotalsRow none;
  const storage::TotalsRow& row = totals != nullptr ? *totals : none;
  for (const Verdict verdict : kAllVerdicts) {
    runs.add({target, profile, text(to_string(verdict))},
             static_cast<double>(row.runs_by_verdict[static_cast<std::size_t>(verdict)]));
  }
  add_counts(target, profile, row.counters, row.tally);
  run_duration.make(pair, kRunSeconds);
  first_finding.make(pair, kFirstFindingSeconds);
  for (auto* series : {&last_run, &last_clean, &next_run}) series->make(pair);
  set_last(pair, row.last_run_ms, row.last_clean_ms);
}

// Makes the series of a target and profile on the running kernel, once.
void Metrics::State::add_kernel_pair(const std::string& target, const std::string& profile,
                                     const storage::TotalsRow* totals) {
  if (kernel_exposures.has({target, profile, release})) return;
  const storage::TotalsRow none;
  const storage::TotalsRow& row = totals != nullptr ? *totals : none;
  add_kernel_counts(target, profile, row.counters, row.tally);
  for (const Verdict verdict : kAllVerdicts) {
    kernel_runs.add({target, profile, text(to_string(verdict)), release},
                    static_cast<double>(row.runs_by_verdict[static_cast<std::size_t>(verdict)]));
  }
}

void Metrics::State::add_kernel_counts(const std::string& target, const std::string& profile,
                                       const RunCounters& counters, const FindingTally& tally) {
  kernel_exposures.add({target, profile, release}, static_cast<double>(counters.exposures));
  for (const FindingKind kind : kAllFindingKinds) {
    kernel_findings.add({target, profile, text(to_string(kind)), release}, static_cast<double>(tally.count_of(kind)));
  }
}

void Metrics::State::remove_target(const std::string& target) {
  for (auto* series : {&runs, &findings, &duplicate_bytes, &writes, &exposures, &bytes_written, &bytes_verified,
                       &kernel_exposures, &kernel_findings, &kernel_runs}) {
    series->forget_target(target);
  }
  for (auto* series : {&open_incidents, &last_run, &last_clean, &next_run, &interval, &in_progress, &stuck, &paused,
                       &target_info, &target_filesystem}) {
    series->forget_target(target);
  }
  run_duration.forget_target(target);
  first_finding.forget_target(target);
  registries.remove(target);
}

Metrics::Metrics() : state_(std::make_unique<State>()) {
  state_->build_info.set({kVersion, kRevision}, 1);
  state_->reload_successful.set({}, 1);
  state_->database_bytes.make({});
  state_->webhook_pending.make({});
  state_->ready.make({});
  state_->storage_errors.make({});
  state_->clock_suspect.make({});
  state_->database_bytes_max.make({});
  state_->evidence_bytes.make({});
  state_->evidence_bytes_max.make({});
  state_->self_test.make({});
}

Metrics::~Metrics() = default;

void Metrics::configure(const std::vector<std::string>& targets, const std::vector<std::string>& profiles,
                        const std::vector<storage::TotalsRow>& totals) {
  const std::set<std::string> names(targets.begin(), targets.end());
  for (const auto& before : std::exchange(state_->targets, names)) {
    if (!names.contains(before)) state_->remove_target(before);
  }
  for (const auto& row : totals) {
    if (names.contains(row.target)) state_->add_pair(row.target, row.profile, &row);
  }
  for (const auto& target : targets) {
    for (const auto& profile : profiles) state_->add_pair(target, profile, nullptr);
    for (auto* series : {&state_->in_progress, &state_->stuck, &state_->paused}) series->make({target});
  }
}

void Metrics::configure_kernel(const std::string& release, const std::vector<storage::TotalsRow>& totals_of_release) {
  state_->release = release;
  for (const auto& row : totals_of_release) {
    if (state_->last_run.has({row.target, row.profile})) state_->add_kernel_pair(row.target, row.profile, &row);
  }
  for (const Values& pair : state_->last_run.all()) state_->add_kernel_pair(pair[0], pair[1], nullptr);
}

void Metrics::on_run_finished(const std::string& target, const RunResult& result, std::int64_t finished_at_ms) {
  const Values pair = {target, result.profile};
  const RunEnd& end = result.end;
  state_->add_pair(target, result.profile, nullptr);
  state_->runs.add({target, result.profile, text(to_string(end.verdict))}, 1);
  state_->add_counts(target, result.profile, end.counters, end.tally);
  // An interrupted run can be of the kernel before; one whose probe never said hello is of none.
  if (!state_->release.empty() && result.kernel.release == state_->release) {
    state_->add_kernel_pair(target, result.profile, nullptr);
    state_->add_kernel_counts(target, result.profile, end.counters, end.tally);
    state_->kernel_runs.add({target, result.profile, text(to_string(end.verdict)), state_->release}, 1);
  }
  state_->run_duration.change(
      pair, [&](Histogram& histogram) { histogram.Observe(end.duration_seconds); }, kRunSeconds);
  if (end.first_finding_seconds) {
    const auto observe = [&](Histogram& histogram) { histogram.Observe(*end.first_finding_seconds); };
    state_->first_finding.change(pair, observe, kFirstFindingSeconds);
  }
  const bool clean = end.verdict == Verdict::kClean;
  state_->set_last(pair, finished_at_ms, clean ? std::optional(finished_at_ms) : std::nullopt);
}

void Metrics::set_open_incidents(const std::vector<storage::IncidentRow>& open) {
  std::set<Values> shown;
  for (const storage::IncidentRow& row : open) {
    const bool here = row.kernel_release == state_->release || row.kernel_release.empty();
    if (!here || !state_->targets.contains(row.target)) continue;
    shown.insert(
        {row.target, row.profile, text(to_string(row.kind)), text(to_string(class_of(row.kind))), row.kernel_release});
  }
  state_->open_incidents.remove_if([&](const Values& values) { return !shown.contains(values); });
  for (const Values& values : shown) state_->open_incidents.set(values, 1);
}

void Metrics::State::mirror_schedule(const LiveState& state) {
  std::map<Values, const LiveProfile*> profiles;
  for (const auto& target : state.targets) {
    for (const auto& profile : target.profiles) profiles[{target.name, profile.profile}] = &profile;
  }
  for (const Values& pair : next_run.all()) {
    const auto found = profiles.find(pair);
    next_run.set(pair,
                 found == profiles.end() || !found->second->next_run_ms ? 0 : seconds(*found->second->next_run_ms));
  }
  interval.remove_if([&](const Values& pair) { return !profiles.contains(pair); });
  for (const auto& [pair, profile] : profiles) interval.set(pair, seconds(profile->every_ms));
}

void Metrics::mirror(const LiveState& state, std::uint64_t database_size_bytes) {
  state_->mirror_schedule(state);
  std::set<Values> mounted, tested;
  for (const auto& target : state.targets) {
    state_->in_progress.set({target.name}, target.current_run ? 1 : 0);
    state_->stuck.set({target.name}, target.state == "stuck" ? 1 : 0);
    state_->paused.set({target.name}, target.paused ? 1 : 0);
    if (target.mounted) mounted.insert({target.name, target.filesystem.type, target.filesystem.source});
    if (!target.tested) continue;
    const FilesystemFacts& facts = target.tested->facts;
    tested.insert({target.name, facts.type, facts.source, facts.device, facts.uuid});
  }
  state_->target_info.remove_if([&](const Values& values) { return !mounted.contains(values); });
  for (const auto& values : mounted) state_->target_info.set(values, 1);
  state_->target_filesystem.remove_if([&](const Values& values) { return !tested.contains(values); });
  for (const auto& values : tested) state_->target_filesystem.set(values, 1);
  const std::string& release = state.kernel.release;
  state_->kernel_info.remove_if([&](const Values& values) { return values.front() != release; });
  if (!release.empty()) state_->kernel_info.set({release}, 1);
  state_->reload_successful.set({}, state.config_reload_successful ? 1 : 0);
  state_->self_test.set({}, state.self_test.ok() ? 1 : 0);
  state_->ready.set({}, state.ready ? 1 : 0);
  const auto failed = state.storage_errors - std::exchange(state_->storage_errors_counted, state.storage_errors);
  if (failed > 0) state_->storage_errors.add({}, static_cast<double>(failed));
  state_->clock_suspect.set({}, state.clock_suspect ? 1 : 0);
  state_->webhook_pending.set({}, static_cast<double>(state.webhook_pending));
  state_->database_bytes.set({}, static_cast<double>(database_size_bytes));
  state_->database_bytes_max.set({}, static_cast<double>(state.database_bytes_max));
  state_->evidence_bytes.set({}, static_cast<double>(state.evidence_bytes));
  state_->evidence_bytes_max.set({}, static_cast<double>(state.evidence_bytes_max));
}

std::string Metrics::scrape() const { return state_->registries.text(process_metrics()); }

}  // namespace writecanary::api
