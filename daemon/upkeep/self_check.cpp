#include "daemon/upkeep/self_check.h"

#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "core/base/json_text.h"
#include "core/base/version.h"
#include "core/run/protocol.h"

namespace writecanary::daemon {
namespace {

constexpr char kFact[] = "self_test";

std::optional<SelfTest> remembered(const storage::Store& store) {
  const auto text = store.fact(kFact);
  if (!text) return std::nullopt;
  try {
    const auto test = nlohmann::json::parse(*text).get<SelfTest>();
    const bool same_build = test.version == kVersion && test.revision == kRevision;
    return same_build && test.ok() ? std::optional(test) : std::nullopt;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;  // of a build that wrote it another way
  } catch (const ProtocolError&) {
    return std::nullopt;
  }
}

void log(const SelfTest& test) {
  if (test.ok()) return spdlog::info("self-test: every one of {} detectors sees", test.detectors.size());
  if (!test.error.empty()) spdlog::error("the self-test did not run: {}", test.error);
  for (const auto& detector : test.detectors) {
    if (!detector.ok()) spdlog::error("self-test: the detector for {} {}", to_string(detector.kind), detector.detail);
  }
  spdlog::error("the self-test failed: do not take runs without findings for clean until it is mended");
}

}  // namespace

SelfTest check_self(storage::Store& store, const std::string& probe_program, SystemTime now) {
  if (auto known = remembered(store)) return *known;
  SelfTest test = run_self_test(probe_program, to_unix_ms(now));
  log(test);
  store.remember_fact(kFact, json_text(test));
  return test;
}

}  // namespace writecanary::daemon
