#include "storage/tables/run_end.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "storage/tables/events.h"
#include "storage/tables/incident_course.h"
#include "storage/tables/rows.h"
#include "storage/tables/totals.h"

namespace writecanary::storage {

std::vector<std::int64_t> end_run(SQLite::Database& database, const RunRow& run, std::span<const Finding> findings) {
  WC_CHECK(run.state == RunState::kFinished && run.verdict && run.finished_at_ms);
  update_run(database, run);
  auto ids = follow_run(database, run, findings.first(std::min(findings.size(), kFindingsPerRun)));
  add_to_totals(database, run, append_run_finished(database, run));
  return ids;
}

}  // namespace writecanary::storage
