#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/documents/cursor.h"
#include "api/refusal/limits.h"
#include "api/refusal/problem.h"
#include "api/routes/query.h"
#include "api/routes/routes.h"
#include "core/text/units.h"

namespace writecanary::api {
namespace {

using nlohmann::json;

constexpr std::int64_t kDaySeconds = 24LL * 3600;

enum class By { kKernel, kProfile };
constexpr std::array kAllBy = {By::kKernel, By::kProfile};
std::string_view to_string(By by) { return by == By::kKernel ? "kernel" : "profile"; }
std::optional<By> parse_by(std::string_view text) {
  for (const By by : kAllBy) {
    if (to_string(by) == text) return by;
  }
  return std::nullopt;
}

json activity_document(const storage::ActivityRow& row, bool by_profile) {
  json verdicts = json::object();
  for (const Verdict verdict : kAllVerdicts) {
    const auto runs = row.runs_by_verdict[static_cast<std::size_t>(verdict)];
    if (runs > 0) verdicts[std::string(writecanary::to_string(verdict))] = runs;
  }
  return {{"from", format_timestamp(row.from_ms)},
          {"target", by_profile ? json(row.target) : json()},
          {"profile", by_profile ? json(row.profile) : json()},
          {"kernel_release", row.kernel},
          {"runs_by_verdict", std::move(verdicts)},
          {"writes", row.writes},
          {"exposures", row.exposures},
          {"finding_counts", finding_counts(row.tally)}};
}

Outcome answer_activity(Call& call, const Services& services) {
  Query query(call.request);
  storage::ActivityFilter filter;
  filter.target = query.text("target");
  filter.profile = query.text("profile");
  filter.by_profile = query.one_of("by", parse_by, kAllBy) == By::kProfile;
  filter.until_ms = query.timestamp_ms("until").value_or(to_unix_ms(services.clock.now()) + 1);
  filter.since_ms = query.timestamp_ms("since").value_or(filter.until_ms - kDaySeconds * 1000);
  const std::int64_t seconds = std::max<std::int64_t>(1, (filter.until_ms - filter.since_ms + 999) / 1000);
  const std::int64_t step_seconds = query.id("step_seconds").value_or(seconds);
  if (auto refusal = query.refusal()) return refusal;
  if (filter.until_ms < filter.since_ms || seconds > kActivitySecondsMax) {
    return invalid_query({{"since", fmt::format("is not possible; expected a time at most {} days before until",
                                                kActivitySecondsMax / kDaySeconds)}});
  }
  if (step_seconds > kActivitySecondsMax || seconds / step_seconds >= kActivityStepsMax) {
    return invalid_query({{"step_seconds", fmt::format("\"{}\" is not possible; expected {} to {}", step_seconds,
                                                       seconds / kActivityStepsMax + 1, kActivitySecondsMax)}});
  }
  filter.step_ms = step_seconds * 1000;
  json items = json::array();
  for (const auto& row : services.reader.activity(filter)) items.push_back(activity_document(row, filter.by_profile));
  respond_json(call, {{"since", format_timestamp(filter.since_ms)},
                      {"until", format_timestamp(filter.until_ms)},
                      {"step_seconds", step_seconds},
                      {"items", std::move(items)}});
  return std::nullopt;
}

json history_document(const storage::HistoryRow& row) {
  json runs = json::array();
  for (const auto& run : row.runs) {
    runs.push_back({{"id", run.id},
                    {"verdict", writecanary::to_string(run.verdict)},
                    {"finished_at", format_timestamp(run.finished_at_ms)},
                    {"exposures", run.exposures},
                    {"findings", run.findings}});
  }
  return {{"target", row.target}, {"profile", row.profile}, {"runs", std::move(runs)}};
}

Outcome answer_history(Call& call, const Services& services) {
  Query query(call.request);
  storage::HistoryFilter filter;
  filter.target = query.text("target");
  filter.profile = query.text("profile");
  filter.limit = query.limit();
  filter.after = query.place("history").value_or("");
  if (auto refusal = query.refusal()) return refusal;
  const std::size_t rows_per_page = kHistoryRunsMax / static_cast<std::size_t>(filter.limit);
  filter.rows = rows_per_page + 1;  // one more tells whether there is another page
  auto rows = services.reader.history(filter);
  json next;
  if (rows.size() > rows_per_page) {
    rows.pop_back();
    next = encode_place("history", rows.back().place());
  }
  json items = json::array();
  for (const auto& row : rows) items.push_back(history_document(row));
  respond_json(call, {{"items", std::move(items)}, {"next_cursor", std::move(next)}});
  return std::nullopt;
}

}  // namespace

std::vector<Endpoint> history_routes(const RouteContext& context) {
  const Services services = context.services;
  return {
      {"GET",
       "/api/v1/activity",
       {.summary = "Finished runs summed up by time and kernel, or by target and profile too",
        .response = "ActivityList",
        .query = {"target", "profile", "since", "until", "step_seconds", "by"}},
       [services](Call& call) { return answer_activity(call, services); }},
      {"GET",
       "/api/v1/history",
       {.summary = "The last runs of each target and profile, oldest first",
        .response = "HistoryPage",
        .query = {"target", "profile", "limit", "cursor"}},
       [services](Call& call) { return answer_history(call, services); }},
  };
}

}  // namespace writecanary::api
