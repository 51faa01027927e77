#include "storage/tables/run_end.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "storage/tables/events.h"
#include "storage/tables/rows.h"
#include "storage/tables/totals.h"

namespace writecanary::storage {

namespace {

std::int64_t store_finding(SQLite::Database& database, const RunRow& run, const Finding& finding) {
  FindingRow row;
  row.run_id = run.id;
  row.target = run.target;
  row.profile = run.result.profile;
  row.kernel_release = run.result.kernel.release;
  row.fstype = run.result.filesystem.type;
  row.found_at_ms = *run.finished_at_ms;
  row.finding = finding;
  row.id = insert_finding(database, row);
  count_open(database, row.target, finding.kind, 1);
  append_finding(database, row);
  return row.id;
}

}  // namespace

std::vector<std::int64_t> end_run(SQLite::Database& database, const RunRow& run, std::span<const Finding> findings) {
  WC_CHECK(run.state == RunState::kFinished && run.verdict && run.finished_at_ms);
  update_run(database, run);
  std::vector<std::int64_t> ids;
  for (const Finding& finding : findings.first(std::min(findings.size(), kFindingsPerRun))) {
    ids.push_back(store_finding(database, run, finding));
  }
  SQLite::Statement open(database, "UPDATE runs SET open_findings = ? WHERE id = ?");
  Binder(open) << std::int64_t(ids.size()) << run.id;
  open.exec();
  add_to_totals(database, run, append_run_finished(database, run));
  return ids;
}

}  // namespace writecanary::storage
