#include "api/documents/documents.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <span>

#include "api/refusal/limits.h"
#include "core/base/upper_bound.h"
#include "core/base/version.h"
#include "core/host/host_facts.h"
#include "core/report/known_issues.h"
#include "core/text/units.h"
#include "storage/tables/documents.h"

namespace writecanary::api {
namespace {

using nlohmann::json;

json timestamp(std::optional<std::int64_t> unix_ms) { return unix_ms ? json(format_timestamp(*unix_ms)) : json(); }

template <typename T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json();
}

json verdict_counts(const std::array<std::uint64_t, kAllVerdicts.size()>& counts) {
  json document = json::object();
  for (const Verdict verdict : kAllVerdicts) {
    document[std::string(to_string(verdict))] = counts[static_cast<std::size_t>(verdict)];
  }
  return document;
}

json profile_document(const std::string& profile, std::optional<std::int64_t> next_run_ms,
                      const storage::TotalsRow* known) {
  const storage::TotalsRow never_run;
  const storage::TotalsRow& row = known != nullptr ? *known : never_run;
  return {{"profile", profile},
          {"last_verdict", row.last_verdict ? json(to_string(*row.last_verdict)) : json()},
          {"last_run", or_null(row.last_run_id)},
          {"last_run_at", timestamp(row.last_run_ms)},
          {"last_clean_at", timestamp(row.last_clean_ms)},
          {"next_run_at", timestamp(next_run_ms)},
          {"runs_by_verdict", verdict_counts(row.runs_by_verdict)},
          {"writes", row.counters.writes},
          {"exposures", row.counters.exposures},
          {"finding_counts", finding_counts(row.tally)}};
}

// Scheduled profiles in the order of the configuration, then those that were only ever started by hand.
json profile_documents(const LiveTarget& target, const std::vector<storage::TotalsRow>& totals) {
  // They come sorted by target.
  const std::span rows(std::ranges::lower_bound(totals, target.name, {}, &storage::TotalsRow::target),
                       std::ranges::upper_bound(totals, target.name, {}, &storage::TotalsRow::target));
  json documents = json::array();
  for (const auto& profile : target.profiles) {
    const auto row = std::ranges::find(rows, profile.profile, &storage::TotalsRow::profile);
    documents.push_back(profile_document(profile.profile, profile.next_run_ms, row == rows.end() ? nullptr : &*row));
  }
  for (const auto& row : rows) {
    if (std::ranges::find(target.profiles, row.profile, &LiveProfile::profile) != target.profiles.end()) continue;
    documents.push_back(profile_document(row.profile, {}, &row));
  }
  return documents;
}

// As the mount table has it, which does not know the UUID.
json filesystem_document(const FilesystemFacts& facts) {
  json document = facts;
  document.erase("uuid");
  return document;
}

json tested_document(const TestedFilesystem& tested) {
  json document = tested.facts;
  document["run"] = tested.run_id;
  return document;
}

std::string counted(std::uint64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

// Those of the running kernel that concern a mounted target's filesystem.
json issues_here(const LiveState& live) {
  std::vector<IssueMatch> matches = match_issues(identify_kernel(live.kernel), "");
  std::erase_if(matches, [&](const IssueMatch& match) {
    return std::none_of(live.targets.begin(), live.targets.end(), [&](const LiveTarget& target) {
      const auto& types = match.issue->filesystems;
      return target.mounted && std::find(types.begin(), types.end(), target.filesystem.type) != types.end();
    });
  });
  return matches;
}

struct IncidentCounts {
  std::map<FindingKind, std::uint64_t> open;  // on the running kernel
  std::uint64_t known = 0;                    // likewise
  std::uint64_t of_other_kernels = 0;         // open or known
};

IncidentCounts count_incidents(const storage::Reader& reader, const std::string& release) {
  storage::IncidentFilter filter;
  filter.states = {IncidentState::kOpen, IncidentState::kKnown};
  filter.limit = kIncidentsCountedMax;
  IncidentCounts counts;
  for (const auto& row : reader.incidents(filter)) {
    if (!row.kernel_release.empty() && row.kernel_release != release) {
      ++counts.of_other_kernels;
    } else if (row.state == IncidentState::kKnown) {
      ++counts.known;
    } else {
      ++counts.open[row.kind];
    }
  }
  return counts;
}

json incident_counts_document(const IncidentCounts& counts) {
  json open = json::object();
  for (const FindingKind kind : kAllFindingKinds) open[std::string(to_string(kind))] = 0;
  for (const auto& [kind, count] : counts.open) open[std::string(to_string(kind))] = count;
  return {{"open", open}, {"known", counts.known}, {"of_other_kernels", counts.of_other_kernels}};
}

std::string summary(const LiveState& live, const IncidentCounts& incidents) {
  if (!live.ready) return "Not ready: " + live.not_ready_reason;
  std::uint64_t corruption = 0;
  std::uint64_t other = 0;
  for (const auto& [kind, count] : incidents.open) {
    (class_of(kind) == FindingClass::kCorruption ? corruption : other) += count;
  }
  std::string text =
      counted(live.targets.size(), "target") + ", " + counted(live.runs.size(), "run") + " in progress, ";
  if (corruption + other == 0) {
    return text + "no open incidents" +
           (incidents.known == 0 ? "." : ", " + std::to_string(incidents.known) + " known.");
  }
  return text + counted(corruption + other, "open incident") + ", " + std::to_string(corruption) + " of corruption.";
}

}  // namespace

json run_document(storage::RunRow row, const LiveState& live, const Clock& clock) {
  const auto found =
      std::find_if(live.runs.begin(), live.runs.end(), [&](const LiveRun& run) { return run.id == row.id; });
  if (row.state != RunState::kRunning || found == live.runs.end()) return storage::run_json(row);
  const Progress& progress = found->progress;
  row.result.end.counters = progress.counters;
  row.result.end.tally = progress.tally;
  row.result.end.duration_seconds = std::chrono::duration<double>(clock.steady() - found->started).count();
  json document = storage::run_json(row);
  document["progress"] = {{"elapsed_seconds", progress.elapsed_seconds}, {"fraction", progress.fraction}};
  return document;
}

json target_document(const LiveTarget& target, const std::vector<storage::TotalsRow>& totals) {
  return {{"name", target.name},
          {"path", target.path},
          {"mounted", target.mounted},
          {"filesystem", filesystem_document(target.filesystem)},
          {"tested", target.tested ? tested_document(*target.tested) : json()},
          {"same_filesystem", target.same_filesystem},
          {"state", target.state},
          {"state_reason", target.state_reason},
          {"paused", target.paused},
          {"paused_note", target.paused_note},
          {"current_run", or_null(target.current_run)},
          {"queued_runs", target.queued_runs},
          {"bytes_today", target.bytes_today},
          {"bytes_per_day_max", target.bytes_per_day_max},
          {"profiles", profile_documents(target, totals)}};
}

json kernel_document(const storage::KernelRow& row, const LiveState& live) {
  // Of other kernels only the release is known, which may hide the patch level.
  const KernelFacts facts = row.release == live.kernel.release ? live.kernel : KernelFacts{row.release, {}, {}};

  std::uint64_t corruptions = 0;
  for (const FindingKind kind : kAllFindingKinds) {
    if (class_of(kind) == FindingClass::kCorruption) corruptions += row.tally.count_of(kind);
  }
  return {{"release", row.release},
          {"runs", row.runs},
          {"writes", row.writes},
          {"exposures", row.exposures},
          {"finding_counts", finding_counts(row.tally)},
          {"first_seen", format_timestamp(row.first_seen_ms)},
          {"last_seen", format_timestamp(row.last_seen_ms)},
          {"known_issues", match_issues(identify_kernel(facts), "")},
          {"rate_upper_bound_95", or_null(rate_upper_bound_95(corruptions, row.exposures))}};
}

json status_document(const LiveState& live, const storage::Reader& reader, const Clock& clock) {
  std::array<std::uint64_t, kAllVerdicts.size()> verdicts{};
  for (const auto& row : reader.totals()) {
    for (std::size_t i = 0; i < verdicts.size(); ++i) verdicts[i] += row.runs_by_verdict[i];
  }
  const auto incidents = count_incidents(reader, live.kernel.release);
  json in_progress = json::array();
  for (const auto& run : live.runs) in_progress.push_back(run.id);
  return {{"version", kVersion},
          {"revision", kRevision},
          {"hostname", host_name()},
          {"kernel", live.kernel},
          {"started_at", format_timestamp(live.started_at_ms)},
          {"uptime_seconds", std::chrono::duration<double>(clock.steady() - live.started).count()},
          {"ready", live.ready},
          {"not_ready_reason", live.not_ready_reason},
          {"database", {{"path", live.database_path}, {"size_bytes", reader.size_bytes()}}},
          {"config",
           {{"path", live.config_path},
            {"reload_successful", live.config_reload_successful},
            {"reload_error", live.config_reload_error}}},
          {"pressure", live.pressure},
          {"self_test", live.self_test},
          {"notices", live.notices},
          {"known_issues", issues_here(live)},
          {"targets", live.targets.size()},
          {"runs_in_progress", in_progress},
          {"verdicts", verdict_counts(verdicts)},
          {"incidents", incident_counts_document(incidents)},
          {"summary", summary(live, incidents)}};
}

}  // namespace writecanary::api
