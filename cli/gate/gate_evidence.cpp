#include "cli/gate/gate_evidence.h"

#include <algorithm>

#include "core/run/finding.h"

namespace writecanary::cli {

bool is_corruption(const std::string& kind) {
  const auto known = parse_finding_kind(kind);
  return !known || class_of(*known) == FindingClass::kCorruption;
}

std::uint64_t GateDetector::of_kind(const std::string& kind) const {
  const auto found = findings.find(kind);
  return found == findings.end() ? 0 : found->second;
}

std::uint64_t GateDetector::corruption() const {
  std::uint64_t sum = 0;
  for (const auto& [kind, count] : findings) sum += is_corruption(kind) ? count : 0;
  return sum;
}

std::uint64_t GateEvidence::hosts() const {
  std::uint64_t sum = 0;
  for (const GateRelease& release : releases) sum += release.hosts;
  return sum;
}

std::uint64_t GateEvidence::exposures() const {
  std::uint64_t sum = 0;
  for (const GateDetector& detector : detectors) sum += detector.exposures;
  return sum;
}

std::map<std::string, std::uint64_t> GateEvidence::findings() const {
  std::map<std::string, std::uint64_t> sums;
  for (const GateDetector& detector : detectors) {
    for (const auto& [kind, count] : detector.findings) sums[kind] += count;
  }
  return sums;
}

std::uint64_t GateEvidence::of_kind(const std::string& kind) const {
  std::uint64_t sum = 0;
  for (const GateDetector& detector : detectors) sum += detector.of_kind(kind);
  return sum;
}

std::uint64_t GateEvidence::corruption() const {
  std::uint64_t sum = 0;
  for (const GateDetector& detector : detectors) sum += detector.corruption();
  return sum;
}

const GateDetector* GateEvidence::find(const std::string& profile) const {
  const auto found = std::ranges::find(detectors, profile, &GateDetector::profile);
  return found == detectors.end() ? nullptr : &*found;
}

}  // namespace writecanary::cli
