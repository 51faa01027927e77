// What the probe's self-test said: whether each detector finds the damage that it is for, and is silent without it.
//
// So that "no findings" can be told from a blind detector. `writecanary-probe --self-test` prints it as JSON
// (probe/detector_trial.h makes it); command line and daemon read it here.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/run/finding.h"

namespace writecanary {

struct DetectorTest {
  FindingKind kind = FindingKind::kForeign;
  bool detected = false;         // the damage was found, as this kind and nothing else
  bool exact = false;            // at exactly its offset and with exactly its length
  bool silent_on_clean = false;  // the same data without the damage gave no finding
  std::string detail;            // what was found instead; empty when all is well

  bool ok() const { return detected && exact && silent_on_clean; }
};

struct SelfTest {
  std::string version;
  std::string revision;
  std::int64_t at_ms = 0;
  std::string error;  // why there are no detectors to speak of; empty when it ran
  std::vector<DetectorTest> detectors;

  bool ok() const;  // ran, and every detector is
};

// {"ok", "version", "revision", "at", "error", "detectors": [{"kind", "ok", ...}]}. from_json throws ProtocolError.
void to_json(nlohmann::json& out, const SelfTest& test);
void from_json(const nlohmann::json& in, SelfTest& test);

// Runs `program --self-test`. What keeps it from answering is in `error`: a self-test that did not run has failed.
SelfTest run_self_test(const std::string& program, std::int64_t now_ms);

}  // namespace writecanary
