// What a fleet's evidence about a kernel allows to conclude. Pure: where the evidence comes from is
// cli/gate/gate_query.h.
//
// The order matters. Corruption is decided first, because one wrong byte needs no minimum of evidence, then a violation
// for the same reason. Everything that makes the evidence thin comes next. Only what is left passes: no exposures are
// never a pass.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/run/verdict.h"

namespace writecanary::cli {

struct GateRelease {
  std::string release;
  std::uint64_t hosts = 0;  // that ran it at some time within the window
  std::uint64_t exposures = 0;
};

struct GateEvidence {
  std::vector<GateRelease> releases;              // those that match; empty: Prometheus knows none
  std::uint64_t exposed_hosts = 0;                // with at least one exposure
  std::uint64_t corrupt_hosts = 0;                // with at least one finding of class corruption
  std::uint64_t blind_hosts = 0;                  // whose detectors failed their self-test
  std::map<std::string, std::uint64_t> findings;  // by kind, as the daemons name them

  std::uint64_t hosts() const;
  std::uint64_t exposures() const;
  std::uint64_t of_kind(const std::string& kind) const;
  // Of class corruption. A kind that this build does not know is one: better to ask once too often.
  std::uint64_t corruption() const;
};

struct GateLimits {
  std::uint64_t min_exposures = 1000;  // without findings: a rate above 0.3 % is excluded with 95 % confidence
  std::uint64_t min_hosts = 1;         // exposed ones
  std::uint64_t max_duplicates = 0;
  std::uint64_t max_torn = 0;
  FailOn fail_on = FailOn::kViolation;  // kCorrupt: violations are told and not judged
};

struct GateDecision {
  Verdict verdict = Verdict::kUnexposed;  // kClean, kCorrupt, kViolation or kUnexposed
  std::optional<double> upper_bound_95;   // of corruption per exposure; nothing without exposures
  std::vector<std::string> reasons;       // sentences; never empty
};

GateDecision decide(const GateEvidence& evidence, const GateLimits& limits);

}  // namespace writecanary::cli
