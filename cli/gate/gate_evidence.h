// What a Prometheus knew about hosts that ran some kernel releases within a window: data, and its sums.
//
// By detector, for a detector sees what it watches and nothing else: however often a reader was exposed, an append that
// never was may still be duplicated.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace writecanary::cli {

struct GateRelease {
  std::string release;
  std::uint64_t hosts = 0;  // that ran it at some time within the window
  std::uint64_t exposures = 0;
};

// What one profile has seen.
struct GateDetector {
  std::string profile;  // empty: a daemon of an earlier version did not say which
  std::uint64_t exposures = 0;
  std::uint64_t exposed_hosts = 0;                     // with at least one exposure
  std::map<std::string, std::uint64_t> findings;       // by kind, as the daemons name them
  std::map<std::string, std::uint64_t> finding_hosts;  // by kind: with at least one
  std::map<std::string, std::uint64_t> runs;           // by verdict

  std::uint64_t of_kind(const std::string& kind) const;
  std::uint64_t corruption() const;
};

struct GateEvidence {
  std::vector<GateRelease> releases;  // those that match; empty: Prometheus knows none
  std::uint64_t exposed_hosts = 0;    // with at least one exposure
  std::uint64_t corrupt_hosts = 0;    // with at least one finding of class corruption
  std::uint64_t blind_hosts = 0;      // whose detectors failed their self-test
  std::vector<GateDetector> detectors;

  std::uint64_t hosts() const;
  std::uint64_t exposures() const;
  // Over all detectors.
  std::map<std::string, std::uint64_t> findings() const;
  std::uint64_t of_kind(const std::string& kind) const;
  std::uint64_t corruption() const;
  // Null when it is not there.
  const GateDetector* find(const std::string& profile) const;
};

// A kind that this build does not know is corruption: better to ask once too often.
bool is_corruption(const std::string& kind);

}  // namespace writecanary::cli
