#include "api/documents/incident_document.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/refusal/limits.h"
#include "core/report/known_issues.h"
#include "storage/tables/documents.h"

namespace writecanary::api {
namespace {

using nlohmann::json;

bool fits_incident(const KnownIssue& issue, const storage::IncidentRow& incident) {
  return std::ranges::find(issue.kinds, incident.kind) != issue.kinds.end() &&
         std::ranges::find(issue.profiles, incident.profile) != issue.profiles.end();
}

json known_issues_of(const storage::IncidentRow& incident, const LiveState& live) {
  // Of other kernels only the release is known, which may hide the patch level.
  const KernelFacts facts =
      incident.kernel_release == live.kernel.release ? live.kernel : KernelFacts{incident.kernel_release, {}, {}};
  auto matches = match_issues(identify_kernel(facts), incident.fstype);
  std::erase_if(matches, [&](const IssueMatch& match) { return !fits_incident(*match.issue, incident); });
  return matches;
}

// In the order in which they were found.
json findings_of(std::int64_t incident_id, const storage::Reader& reader) {
  storage::FindingFilter filter;
  filter.incident_id = incident_id;
  filter.limit = storage::kFirstFindingsKept + storage::kLatestFindingsKept;
  auto rows = reader.findings(filter);
  std::ranges::reverse(rows);
  json findings = json::array();
  for (const auto& row : rows) findings.push_back(storage::finding_json(row));
  return findings;
}

// The last `most` of them, in the order of time.
json days_of(std::int64_t incident_id, const storage::Reader& reader, std::size_t most) {
  const auto days = reader.incident_days(incident_id);
  json documents = json::array();
  for (std::size_t i = days.size() - std::min(days.size(), most); i < days.size(); ++i) {
    documents.push_back(storage::incident_day_json(days[i]));
  }
  return documents;
}

}  // namespace

json incident_item(const storage::IncidentRow& incident, const storage::Reader& reader) {
  json document = storage::incident_json(incident);
  document["days"] = days_of(incident.id, reader, kIncidentDaysListed);
  return document;
}

json incident_document(const storage::IncidentRow& incident, const storage::Reader& reader, const LiveState& live) {
  json document = storage::incident_json(incident);
  document["kept_findings"] = findings_of(incident.id, reader);
  document["known_issues"] = known_issues_of(incident, live);
  document["days"] = days_of(incident.id, reader, storage::kIncidentDaysKept);
  return document;
}

}  // namespace writecanary::api
