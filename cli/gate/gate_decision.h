// What a fleet's evidence about a kernel allows to conclude. Pure: where the evidence comes from is
// cli/gate/gate_query.h.
//
// The order matters. Corruption is decided first, because one wrong byte needs no minimum of evidence, then a violation
// for the same reason. Everything that makes the evidence thin comes next, for each detector that is required by
// itself. Only what is left passes: no exposures are never a pass.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/gate/gate_evidence.h"
#include "core/base/rates.h"
#include "core/run/verdict.h"

namespace writecanary::cli {

struct GateLimits {
  std::uint64_t min_exposures = 1000;  // of each required detector; without findings a rate above 0.3 % is excluded
  std::uint64_t min_hosts = 1;         // exposed ones, of each required detector
  std::uint64_t max_duplicates = 0;
  std::uint64_t max_torn = 0;
  FailOn fail_on = FailOn::kViolation;  // kCorrupt: violations are told and not judged
  std::vector<std::string> require;     // detectors; empty: see GateCase
};

struct GateCase {
  GateEvidence evidence;
  std::optional<GateEvidence> before;  // of the release that it is compared with
  // Detectors with an exposure on any release. Required is what the limits name; else what was exposed on the release
  // to compare with, when one is given; else these.
  std::vector<std::string> exposed_anywhere;
};

struct GateKind {
  std::string kind;
  std::uint64_t count = 0;
  std::uint64_t hosts = 0;
  std::optional<RateInterval> rate;  // per exposure of its detector
  std::uint64_t count_before = 0;
  std::optional<RateRatio> ratio;  // to the release that it is compared with
};

struct GateDetectorDecision {
  std::string profile;
  bool required = false;
  GateDetector seen;
  std::optional<GateDetector> before;
  std::optional<double> upper_bound_95;  // of corruption per exposure; nothing without exposures
  std::vector<GateKind> kinds;           // with findings, here or before
  std::vector<std::string> gaps;         // why its evidence does not suffice; empty when it does, or need not
};

struct GateDecision {
  Verdict verdict = Verdict::kUnexposed;        // kClean, kCorrupt, kViolation or kUnexposed
  std::optional<double> upper_bound_95;         // the largest of the required detectors; nothing when one has none
  std::vector<std::string> reasons;             // sentences; never empty
  std::vector<std::string> general_gaps;        // those of the reasons that are of no detector
  std::set<std::string> refused_kinds;          // of which there is more than is tolerated
  std::vector<GateDetectorDecision> detectors;  // required ones first
};

GateDecision decide(const GateCase& given, const GateLimits& limits);

}  // namespace writecanary::cli
