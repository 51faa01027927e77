// The documents of runs and findings have exactly the agreed fields.
#include "storage/tables/documents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/storage/support.h"

namespace writecanary::storage {
namespace {

using nlohmann::json;
using testing::ElementsAreArray;

std::vector<std::string> keys(const json& object) {
  std::vector<std::string> names;
  for (const auto& item : object.items()) names.push_back(item.key());
  return names;
}

TEST(DocumentsTest, AQueuedRunHasEveryFieldAndNullsForWhatIsNotKnown) {
  RunRow run = queued_run();
  run.id = 12;
  const json document = run_json(run);
  EXPECT_THAT(keys(document), ElementsAreArray({"attribution",
                                                "bytes_verified",
                                                "bytes_written",
                                                "cqe_enomem",
                                                "disarmed",
                                                "duration_seconds",
                                                "exposures",
                                                "files",
                                                "files_cold",
                                                "filesystem",
                                                "finding_bytes",
                                                "finding_counts",
                                                "finished_at",
                                                "first_finding_seconds",
                                                "id",
                                                "inline",
                                                "kernel",
                                                "limit_hits",
                                                "oom_kills",
                                                "partial",
                                                "pressure",
                                                "profile",
                                                "punted",
                                                "queued_at",
                                                "reason",
                                                "requested_by",
                                                "seed",
                                                "short_results",
                                                "started_at",
                                                "state",
                                                "target",
                                                "trigger",
                                                "verdict",
                                                "writes"}));
  EXPECT_EQ(document.at("id"), 12);
  EXPECT_EQ(document.at("state"), "queued");
  EXPECT_EQ(document.at("verdict"), nullptr);
  EXPECT_EQ(document.at("queued_at"), "1970-01-01T00:00:01.000Z");
  EXPECT_EQ(document.at("started_at"), nullptr);
  EXPECT_EQ(document.at("finished_at"), nullptr);
  EXPECT_EQ(document.at("first_finding_seconds"), nullptr);
}

TEST(DocumentsTest, AFinishedRunTellsWhatItMeasured) {
  RunRow run = queued_run();
  run.result = result_with(Verdict::kCorrupt, {FindingKind::kTorn, FindingKind::kTorn});
  run.state = RunState::kFinished;
  run.verdict = Verdict::kCorrupt;
  run.finished_at_ms = 3'120;
  const json document = run_json(run);
  EXPECT_EQ(document.at("verdict"), "corrupt");
  EXPECT_EQ(document.at("finished_at"), "1970-01-01T00:00:03.120Z");
  EXPECT_EQ(document.at("inline"), 2);
  EXPECT_EQ(document.at("finding_counts"), json({{"torn", 2}}));
  EXPECT_EQ(document.at("finding_bytes"), json({{"torn", 8192}}));
  EXPECT_EQ(document.at("kernel"), json({{"release", "6.1.0-18-amd64"}, {"version", "#1 SMP"}, {"machine", "x86_64"}}));
  EXPECT_EQ(document.at("filesystem").at("mount_point"), "/data");
  EXPECT_TRUE(document.at("filesystem").contains("uuid"));
  EXPECT_EQ(document.at("pressure").at("backend"), "cgroup2");
}

TEST(DocumentsTest, AFindingExtendsItsCoreDocument) {
  FindingRow row;
  row.id = 5;
  row.run_id = 12;
  row.incident_id = 2;
  row.target = "data";
  row.profile = "append";
  row.kernel_release = "6.1";
  row.fstype = "xfs";
  row.found_at_ms = 3'000;
  row.finding = full_finding();
  json expected = row.finding;
  expected.update({{"id", 5},
                   {"run_id", 12},
                   {"incident_id", 2},
                   {"target", "data"},
                   {"profile", "append"},
                   {"kernel_release", "6.1"},
                   {"fstype", "xfs"},
                   {"found_at", "1970-01-01T00:00:03.000Z"},
                   {"acknowledged", false},
                   {"acknowledged_at", nullptr},
                   {"acknowledged_by", ""},
                   {"note", ""}});
  EXPECT_EQ(finding_json(row), expected);
  row.acknowledged_at_ms = 4'000;
  EXPECT_EQ(finding_json(row).at("acknowledged"), true);
  EXPECT_EQ(finding_json(row).at("acknowledged_at"), "1970-01-01T00:00:04.000Z");
}

}  // namespace
}  // namespace writecanary::storage
