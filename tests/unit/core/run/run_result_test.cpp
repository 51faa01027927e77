#include "core/run/run_result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/run/protocol.h"
#include "tests/unit/core/samples.h"

namespace writecanary {
namespace {

using nlohmann::json;

TEST(RunCounters, AreWrittenWithTheNamesOfTheApi) {
  const json expected =
      json::parse(R"({"writes": 1, "inline": 2, "punted": 3, "partial": 4, "disarmed": 13, "exposures": 5,
      "short_results": 6, "cqe_enomem": 7, "bytes_written": 18446744073709551615, "bytes_verified": 9, "files": 10, "files_cold": 14,
      "limit_hits": 11, "oom_kills": 12})");
  EXPECT_EQ(json(sample_counters()), expected);
}

TEST(RunCounters, ComeBackAsTheyWere) {
  const json counters = sample_counters();
  EXPECT_EQ(json(counters.get<RunCounters>()), counters);
}

TEST(RunCounters, EachMustBeThere) {
  const json whole = sample_counters();
  for (const auto& [key, value] : whole.items()) {
    json incomplete = whole;
    incomplete.erase(key);
    EXPECT_THAT([&] { incomplete.get<RunCounters>(); },
                testing::ThrowsMessage<ProtocolError>("counters: " + key + ": this field is missing"));
  }
}

TEST(FindingTally, CountsFindingsAndBytes) {
  const FindingTally tally = sample_tally();
  EXPECT_EQ(tally.count_of(FindingKind::kTorn), 2U);
  EXPECT_EQ(tally.bytes_of(FindingKind::kTorn), 128U);
  EXPECT_EQ(tally.count_of(FindingKind::kStuck), 1U);
  EXPECT_EQ(tally.count_of(FindingKind::kDuplicate), 0U);
  EXPECT_EQ(tally.total(), 3U);
  EXPECT_EQ(FindingTally{}.total(), 0U);
}

TEST(FindingTally, WritesOnlyKindsThatOccurred) {
  EXPECT_EQ(json(sample_tally()),
            json::parse(R"({"torn": {"count": 2, "bytes": 128}, "stuck": {"count": 1, "bytes": 0}})"));
  EXPECT_EQ(json(FindingTally{}), json::object());
  EXPECT_EQ(finding_counts(sample_tally()), json::parse(R"({"torn": 2, "stuck": 1})"));
  EXPECT_EQ(finding_counts(FindingTally{}), json::object());
}

TEST(FindingTally, ComesBackAsItWas) {
  FindingTally tally = sample_tally();
  tally.add(FindingKind::kZeroed, 1);
  from_json(json(sample_tally()), tally);
  EXPECT_EQ(tally.count, sample_tally().count);
  EXPECT_EQ(tally.bytes, sample_tally().bytes);
}

TEST(FindingTally, RefusesWhatIsNotATally) {
  const std::pair<const char*, const char*> cases[] = {
      {R"([])", "tally: expected an object, got []"},
      {R"({"thorn": {"count": 1, "bytes": 1}})",
       "tally: thorn: expected a finding kind as the field's name, got \"thorn\""},
      {R"({"torn": 1})", "tally: torn: expected an object, got 1"},
      {R"({"torn": {"count": 1}})", "tally: torn: bytes: this field is missing"},
  };
  for (const auto& [text, error] : cases) {
    const json damaged = json::parse(text);
    EXPECT_THAT([&] { damaged.get<FindingTally>(); }, testing::ThrowsMessage<ProtocolError>(error));
  }
}

TEST(RunDocument, IsFlat) {
  RunResult result{
      .profile = "append", .seed = 5, .kernel = {}, .filesystem = {}, .pressure = {}, .end = {}, .findings = {}};
  result.kernel = sample_hello().kernel;
  result.filesystem = sample_hello().filesystem;
  result.pressure = sample_hello().pressure;
  result.end = sample_run_end();
  result.findings = {sample_finding()};
  json expected = sample_counters();
  expected.update(json::parse(R"({
      "profile": "append", "verdict": "corrupt", "reason": "2 findings", "seed": "5", "duration_seconds": 0.1,
      "finding_counts": {"torn": 2, "stuck": 1}, "finding_bytes": {"torn": 128, "stuck": 0},
      "attribution": [{"variant": "async", "runs": 3, "runs_with_findings": 1, "writes": 60, "exposures": 59,
                       "findings": 2}],
      "kernel": {"release": "6.1.0-47", "version": "#1 SMP", "machine": "x86_64"},
      "filesystem": {"type": "xfs", "source": "/dev/sda2", "mount_point": "/data", "options": "rw,noatime",
                     "device": "8:2", "uuid": "2f4b6c1e-0000-4000-8000-00000000000a"},
      "pressure": {"backend": "cgroup2", "directory": "/sys/fs/cgroup/wc/run-12", "reason": "none"}})"));
  expected["first_finding_seconds"] = 1.0 / 3;
  expected["findings"] = json::array({sample_finding()});
  EXPECT_EQ(run_document(result), expected);
}

TEST(FilesystemFacts, SayWhichFilesystemAsFarAsItIsKnown) {
  FilesystemFacts facts = sample_hello().filesystem;
  EXPECT_EQ(describe(facts), "xfs on /dev/sda2 (8:2, UUID 2f4b6c1e-0000-4000-8000-00000000000a)");
  facts.uuid.clear();
  EXPECT_EQ(describe(facts), "xfs on /dev/sda2 (8:2)");
  facts.device.clear();
  EXPECT_EQ(describe(facts), "xfs on /dev/sda2");
  json earlier = facts;
  earlier.erase("device");
  earlier.erase("uuid");
  EXPECT_EQ(earlier.get<FilesystemFacts>().source, "/dev/sda2") << "as versions before wrote it";
}

TEST(RunDocument, NoFirstFindingIsNull) {
  const json document = run_document(RunResult{});
  EXPECT_TRUE(document.at("first_finding_seconds").is_null());
  EXPECT_EQ(document.at("findings"), json::array());
  EXPECT_EQ(document.at("finding_counts"), json::object());
}

TEST(FindingTally, EachKindHasTheVerdictOfItsClass) {
  EXPECT_EQ(FindingTally{}.verdict(), std::nullopt);
  for (const FindingKind kind : kAllFindingKinds) {
    const FindingClass its = class_of(kind);
    FindingTally tally;
    tally.add(kind, 1);
    EXPECT_EQ(tally.total(its), 1U);
    EXPECT_EQ(tally.verdict(), its == FindingClass::kCorruption     ? Verdict::kCorrupt
                               : its == FindingClass::kAvailability ? Verdict::kStuck
                                                                    : Verdict::kViolation)
        << to_string(kind);
    tally.add(FindingKind::kTorn, 1);
    EXPECT_NE(tally.verdict() == Verdict::kViolation,
              its == FindingClass::kCorruption || its == FindingClass::kAvailability)
        << to_string(kind);
    tally.add(FindingKind::kZeroed, 1);
    EXPECT_EQ(tally.verdict(), Verdict::kCorrupt) << to_string(kind);
  }
}

}  // namespace
}  // namespace writecanary
