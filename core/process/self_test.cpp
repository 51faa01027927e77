#include "core/process/self_test.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/json_fields.h"
#include "core/base/version.h"
#include "core/process/probe_process.h"
#include "core/run/protocol.h"
#include "core/text/units.h"

namespace writecanary {

namespace {

// It takes a tenth of a second; the daemon waits for it when it starts.
constexpr std::chrono::seconds kTimeout{10};

void to_json(nlohmann::json& out, const DetectorTest& test) {
  out = {{"kind", to_string(test.kind)},
         {"ok", test.ok()},
         {"detected", test.detected},
         {"exact", test.exact},
         {"silent_on_clean", test.silent_on_clean},
         {"detail", test.detail}};
}

DetectorTest parse_detector(const nlohmann::json& in) {
  DetectorTest test;
  JsonFields fields(in, "detector");
  fields.require_name("kind", test.kind, parse_finding_kind, "a finding kind");
  fields.require("detected", test.detected);
  fields.require("exact", test.exact);
  fields.require("silent_on_clean", test.silent_on_clean);
  fields.require("detail", test.detail);
  return test;
}

}  // namespace

bool SelfTest::ok() const {
  return error.empty() && !detectors.empty() && std::ranges::all_of(detectors, &DetectorTest::ok);
}

void to_json(nlohmann::json& out, const SelfTest& test) {
  nlohmann::json detectors = nlohmann::json::array();
  for (const DetectorTest& detector : test.detectors) to_json(detectors.emplace_back(), detector);
  out = {{"ok", test.ok()},           {"version", test.version},
         {"revision", test.revision}, {"at", format_timestamp(test.at_ms)},
         {"error", test.error},       {"detectors", std::move(detectors)}};
}

void from_json(const nlohmann::json& in, SelfTest& test) {
  JsonFields fields(in, "self-test");
  std::string at;
  fields.require("version", test.version);
  fields.require("revision", test.revision);
  fields.require("at", at);
  fields.require("error", test.error);
  const auto time = parse_timestamp_ms(at);
  if (!time) fields.fail("at", "a time", at);
  test.at_ms = *time;
  const auto detectors = in.find("detectors");
  if (detectors == in.end() || !detectors->is_array())
    fields.fail("detectors", "a list", in.value("detectors", nlohmann::json()));
  test.detectors.clear();
  for (const nlohmann::json& detector : *detectors) test.detectors.push_back(parse_detector(detector));
}

SelfTest run_self_test(const std::string& program, std::int64_t now_ms) {
  SelfTest test;
  try {
    nlohmann::json::parse(probe_output(program, {"--self-test"}, kTimeout)).get_to(test);
  } catch (const std::exception& error) {
    test = {};
    test.version = kVersion;
    test.revision = kRevision;
    test.error = error.what();
  }
  test.at_ms = now_ms;
  return test;
}

}  // namespace writecanary
