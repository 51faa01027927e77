#include "core/run/run_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "core/run/protocol.h"

namespace writecanary {
namespace {

using nlohmann::json;

RunSpec full_spec() {
  return {.task = Task::kRun,
          .run_id = "run-12",
          .profile = "append",
          .path = "/data",
          .require_mount = true,
          .expected_fstype = "xfs",
          .seed = std::numeric_limits<std::uint64_t>::max(),
          .duration_ms = 1,
          .writes_max = 2,
          .bytes_max = 3,
          .min_free_bytes = 4,
          .min_free_percent = 5.5,
          .memory_bytes = 6,
          .classic = true,
          .variant = Variant::kSync,
          .attribute = false,
          .incompressible = false,
          .options = {{"writers", 4}, {"shift", -1}},
          .pressure = {.backend = "cgroup1", .directory = "/sys/fs/cgroup/memory/x", .reason = ""},
          .evidence_directory = "/var/lib/writecanary/evidence/12",
          .evidence_bytes_max = 7};
}

TEST(RunSpec, IsWrittenWithOneNamePerField) {
  const json expected = json::parse(R"({
      "task": "run", "run_id": "run-12", "profile": "append", "path": "/data", "require_mount": true,
      "expected_fstype": "xfs", "seed": "18446744073709551615", "duration_ms": 1, "writes_max": 2, "bytes_max": 3,
      "min_free_bytes": 4, "min_free_percent": 5.5, "memory_bytes": 6, "classic": true, "incompressible": false,
      "variant": "sync", "attribute": false,
      "options": {"writers": 4, "shift": -1},
      "pressure": {"backend": "cgroup1", "directory": "/sys/fs/cgroup/memory/x", "reason": ""},
      "evidence_directory": "/var/lib/writecanary/evidence/12", "evidence_bytes_max": 7})");
  EXPECT_EQ(json(full_spec()), expected);
}

TEST(RunSpec, ComesBackThroughText) {
  const json spec = full_spec();
  EXPECT_EQ(json(json::parse(spec.dump()).get<RunSpec>()), spec);
}

TEST(RunSpec, TheSeedIsTextAndMayBeANumber) {
  json spec = full_spec();
  EXPECT_EQ(spec["seed"], "18446744073709551615");
  spec["seed"] = 18446744073709551614U;
  EXPECT_EQ(spec.get<RunSpec>().seed, 18446744073709551614U) << "as versions before wrote it";
  for (const json& wrong : {json("18446744073709551616"), json("-1"), json(" 1"), json("1e3"), json(-1), json(1.0)}) {
    spec["seed"] = wrong;
    EXPECT_THROW(spec.get<RunSpec>(), ProtocolError) << wrong;
  }
}

TEST(RunSpec, PathsAreBytesAndTheirTextIsReversible) {
  for (const std::string path : {"/caf\xe9 \"x\"\nnl", "/back\\slash", "/already \\xe9", "/caf\u00e9"}) {
    RunSpec spec;
    spec.run_id = "1";
    spec.profile = "append";
    spec.path = path;
    spec.evidence_directory = path + "/evidence";
    spec.pressure.directory = path + "/cgroup";
    const auto back = json::parse(json(spec).dump()).get<RunSpec>();
    EXPECT_EQ(back.path, path);
    EXPECT_EQ(back.evidence_directory, spec.evidence_directory);
    EXPECT_EQ(back.pressure.directory, spec.pressure.directory);
  }
}

TEST(RunSpec, MissingFieldsHaveTheirDefaults) {
  const auto spec = json::parse(R"({"run_id": "1", "profile": "append", "path": "/data"})").get<RunSpec>();
  RunSpec expected;
  expected.run_id = "1";
  expected.profile = "append";
  expected.path = "/data";
  EXPECT_EQ(json(spec), json(expected));
}

TEST(RunSpec, SweepNeedsOnlyAPath) {
  const auto spec = json::parse(R"({"task": "sweep", "path": "/data"})").get<RunSpec>();
  EXPECT_EQ(spec.task, Task::kSweep);
  EXPECT_EQ(spec.path, "/data");
}

TEST(RunSpec, ErrorsNameTheField) {
  struct Case {
    const char* key;
    json value;
    const char* error;
  };
  const Case cases[] = {
      {"task", "walk", "run spec: task: expected \"run\" or \"sweep\", got \"walk\""},
      {"duration_ms", "ten", "run spec: duration_ms: expected a non-negative integer, got \"ten\""},
      {"duration_ms", -1, "run spec: duration_ms: expected a non-negative integer, got -1"},
      {"writes_max", 1.0, "run spec: writes_max: expected a non-negative integer, got 1.0"},
      {"seed", 1e30, "run spec: seed: expected a number from 0 to 2^64-1, as text of digits, got 1e+30"},
      {"seed", "", "run spec: seed: expected a number from 0 to 2^64-1, as text of digits, got \"\""},
      {"min_free_percent", "5%", "run spec: min_free_percent: expected a number, got \"5%\""},
      {"min_free_percent", 100.5, "run spec: min_free_percent: expected a number from 0 to 100, got 100.5"},
      {"min_free_percent", -1, "run spec: min_free_percent: expected a number from 0 to 100, got -1.0"},
      {"classic", nullptr, "run spec: classic: expected true or false, got null"},
      {"path", "data", "run spec: path: expected an absolute path, got \"data\""},
      {"run_id", "../1", "run spec: run_id: expected letters, digits and '-' only, got \"../1\""},
      {"run_id", "", "run spec: run_id: expected a name for the run, got \"\""},
      {"profile", "", "run spec: profile: expected a name from the catalogue, got \"\""},
      {"options", 1, "run spec: options: expected an object of integers, got 1"},
      {"options", {{"writers", "two"}}, "run spec: options.writers: expected an integer, got \"two\""},
      {"pressure", {{"backend", 1}}, "pressure: backend: expected a string, got 1"},
  };
  for (const auto& [key, value, error] : cases) {
    json damaged = full_spec();
    damaged[key] = value;
    EXPECT_THAT([&] { damaged.get<RunSpec>(); }, testing::ThrowsMessage<ProtocolError>(error));
  }
}

TEST(RunSpec, UnknownFieldIsAnError) {
  json misspelt = full_spec();
  misspelt["duration"] = 10;
  EXPECT_THAT([&] { misspelt.get<RunSpec>(); },
              testing::ThrowsMessage<ProtocolError>(testing::StartsWith(
                  "run spec: unknown field \"duration\"; known are task, run_id, profile, path, ")));
}

TEST(RunSpec, PathMustBeThere) {
  EXPECT_THAT([] { json::parse(R"({"run_id": "1", "profile": "append"})").get<RunSpec>(); },
              testing::ThrowsMessage<ProtocolError>("run spec: path: this field is missing"));
  EXPECT_THAT([] { json::parse("[]").get<RunSpec>(); },
              testing::ThrowsMessage<ProtocolError>("run spec: expected an object, got []"));
}

}  // namespace
}  // namespace writecanary
