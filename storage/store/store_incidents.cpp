// Store: incidents beyond the ends of runs.
#include <fmt/format.h>

#include "storage/database/columns.h"
#include "storage/store/store_state.h"
#include "storage/tables/incident_course.h"
#include "storage/tables/incidents.h"
#include "storage/tables/rows.h"

namespace writecanary::storage {

namespace {

// Findings that one step removes at most, about 50 us each.
constexpr std::int64_t kTrimmedPerStep = 400;

}  // namespace

std::vector<std::int64_t> Store::acknowledge(const IncidentFilter& filter, const Acknowledgement& acknowledgement) {
  return state_->change("acknowledge incidents", [&] {
    std::vector<IncidentRow> incidents;
    SQLite::Statement select = incidents_query(filter).prepare(state_->database);
    while (select.executeStep()) incidents.push_back(incident_of(select));
    std::vector<std::int64_t> ids;
    for (auto& incident : incidents) {
      const auto id = incident.id;
      if (make_known(state_->database, std::move(incident), acknowledgement)) ids.push_back(id);
    }
    return ids;
  });
}

bool Store::acknowledge_finding(std::int64_t finding_id, const std::string& by, const std::string& note,
                                std::int64_t now_ms) {
  return state_->change(fmt::format("acknowledge finding {}", finding_id), [&] {
    const auto finding = find_finding(state_->database, finding_id);
    if (!finding) return false;
    auto incident = find_incident(state_->database, finding->incident_id);
    if (incident && incident->state == IncidentState::kOpen) {
      return make_known(state_->database, *std::move(incident), {now_ms, by, note, KnownUntil::kKernel, {}});
    }
    SQLite::Statement update(state_->database,
                             "UPDATE findings SET acknowledged_at_ms = ?, acknowledged_by = ?, note = ? WHERE id = ? "
                             "AND acknowledged_at_ms IS NULL");
    Binder(update) << now_ms << by << note << finding_id;
    update.exec();
    return true;
  });
}

bool Store::reopen_due_incidents(std::int64_t now_ms) {
  const bool any = state_->look("look for incidents whose date is over",
                                [&] { return !incidents_known_until(state_->database, now_ms).empty(); });
  if (!any) return false;
  state_->change("open incidents whose date is over", [&] { reopen_due(state_->database, now_ms); });
  return true;
}

std::vector<IncidentRow> Store::open_incidents() const {
  return state_->look("list the open incidents", [&] { return storage::open_incidents(state_->database); });
}

bool Store::thin_findings() {
  const std::string tried = "thin out the findings of an incident";
  return state_->change(tried, [&] {
    SQLite::Statement select(state_->database,
                             "SELECT incident_id FROM findings WHERE incident_id IS NOT NULL GROUP BY incident_id "
                             "HAVING count(*) > ? LIMIT 1");
    Binder(select) << std::int64_t{kFirstFindingsKept + kLatestFindingsKept};
    if (!select.executeStep()) return false;
    const std::int64_t incident = select.getColumn(0).getInt64();
    select.reset();
    return trim_findings(state_->database, incident, kTrimmedPerStep);
  });
}

void Store::remove_incidents_before(std::int64_t before_ms) {
  state_->change("remove old incidents", [&] {
    SQLite::Statement remove(state_->database, "DELETE FROM incidents WHERE state = 'resolved' AND resolved_at_ms < ?");
    Binder(remove) << before_ms;
    remove.exec();
  });
}

}  // namespace writecanary::storage
