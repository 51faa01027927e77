// Incidents as the rest of the program sees them. What an incident is: core/run/incident.h. Plain data; times are unix
// milliseconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/run/finding.h"
#include "core/run/incident.h"

namespace writecanary::storage {

// The first and the latest findings of an incident that are kept, with their evidence; the others are counted. One run
// brings five at most, so that the evidence kept is that of few runs.
inline constexpr int kFirstFindingsKept = 5;
inline constexpr int kLatestFindingsKept = 5;
// Days that the strip of an incident reaches back.
inline constexpr int kIncidentDaysKept = 400;

// Runs without a finding of the kind, one after the other on one release.
struct WithoutFinding {
  std::string release;
  std::uint64_t exposures = 0;
  std::uint64_t runs = 0;
};

struct Acknowledgement {
  std::int64_t at_ms = 0;
  std::string by;
  std::string note;
  KnownUntil until = KnownUntil::kKernel;
  std::optional<std::int64_t> until_ms;  // of kDate
};

struct IncidentRow {
  // All that was measured on its release before the latest finding; what came after it says whether it is over.
  Measured seen() const;
  // The exposures of all runs on its release.
  std::uint64_t all_exposures() const { return exposures_before + exposures; }

  std::int64_t id = 0;
  std::string target, profile, kernel_release;
  FindingKind kind = FindingKind::kForeign;
  std::string fstype;
  IncidentState state = IncidentState::kOpen;
  std::int64_t first_seen_ms = 0;
  std::int64_t last_seen_ms = 0;
  std::int64_t last_run_id = 0;   // with a finding
  std::int64_t opened_at_ms = 0;  // or reopened, the last time
  std::uint64_t times_opened = 1;
  std::uint64_t runs_with = 0;  // runs with a finding
  std::uint64_t findings = 0;
  std::uint64_t runs_before = 0;  // judged runs and exposures of the release before the first finding
  std::uint64_t exposures_before = 0;
  std::uint64_t runs = 0;  // and from the run with the first finding on
  std::uint64_t exposures = 0;
  WithoutFinding here;       // since the last finding, on its own release
  WithoutFinding elsewhere;  // on the release that ran last, if that is another one
  std::optional<std::int64_t> resolved_at_ms;
  std::string resolved_on;  // release
  std::optional<Acknowledgement> known;
  std::uint64_t known_findings = 0;  // as they stood when it was acknowledged
  std::uint64_t known_exposures = 0;
};

// One day (UTC) on the incident's own release.
struct IncidentDay {
  std::int64_t day = 0;  // since 1970
  std::uint64_t runs = 0;
  std::uint64_t runs_with = 0;
  std::uint64_t exposures = 0;
  std::uint64_t findings = 0;
};

struct IncidentFilter {
  std::vector<std::int64_t> ids;      // empty: any
  std::vector<IncidentState> states;  // empty: any
  std::optional<FindingKind> kind;
  std::optional<FindingClass> finding_class;
  std::optional<std::string> target, profile, release;
  std::optional<std::int64_t> before_id;
  int limit = 50;
};

}  // namespace writecanary::storage
