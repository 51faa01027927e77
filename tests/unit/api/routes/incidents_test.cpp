// Incidents over HTTP: listing, one with its details, and saying that they are known.
#include <gtest/gtest.h>

#include "tests/unit/api/api_fixture.h"

namespace writecanary::api::test {
namespace {

Finding finding_of(FindingKind kind) {
  Finding finding = duplicate_finding();
  finding.kind = kind;
  return finding;
}

class IncidentsTest : public ApiTest {
 protected:
  IncidentsTest() {
    daemon.run_once("data", "append", Verdict::kCorrupt, {duplicate_finding(), finding_of(FindingKind::kTorn)});
    daemon.run_once("logs", "append", Verdict::kCorrupt, {finding_of(FindingKind::kTorn)});
    daemon.run_once("data", "append", Verdict::kCorrupt, {duplicate_finding()});
  }
  std::vector<int> ids(const std::string& query) {
    std::vector<int> result;
    const json page = get("/api/v1/incidents" + query);
    for (const auto& item : page["items"]) result.push_back(item["id"]);
    return result;
  }
};

TEST_F(IncidentsTest, AreListedNewestFirstByWhatTheyAre) {
  using Ids = std::vector<int>;
  EXPECT_EQ(ids(""), Ids({3, 2, 1}));
  EXPECT_EQ(ids("?class=corruption"), Ids({1}));
  EXPECT_EQ(ids("?kind=torn&target=data"), Ids({2}));
  EXPECT_EQ(ids("?release=6.1.170&profile=append"), Ids({3, 2, 1}));
  EXPECT_EQ(ids("?release=6.9"), Ids());
  EXPECT_EQ(ids("?state=known,resolved"), Ids());
  post("/api/v1/incidents/2/ack", {{"note", "known"}}, 200);
  EXPECT_EQ(ids("?state=open"), Ids({3, 1}));
  EXPECT_EQ(ids("?state=open,known"), Ids({3, 2, 1}));
  const auto page = get("/api/v1/incidents?limit=2");
  EXPECT_EQ(ids("?limit=2&cursor=" + page["next_cursor"].get<std::string>()), Ids({1}));
  for (const char* query : {"state=closed", "state=open,", "kind=bad", "class=bad", "verdict=clean"}) {
    EXPECT_EQ(get("/api/v1/incidents?" + std::string(query), 400)["errors"].size(), 1U) << query;
  }
}

TEST_F(IncidentsTest, OneHasItsFindingsDaysAndKnownIssues) {
  const auto incident = get("/api/v1/incidents/1");
  EXPECT_EQ(incident["state"], "open");
  EXPECT_EQ(incident["class"], "corruption");
  EXPECT_EQ(incident["kernel_release"], "6.1.170");
  EXPECT_EQ(incident["runs"], 2);
  EXPECT_EQ(incident["findings"], 2);
  EXPECT_EQ(incident["exposures"], 198);
  EXPECT_NEAR(incident["rate"].get<double>(), 2.0 / 198, 1e-9);
  EXPECT_LT(incident["rate_lower_bound_95"], incident["rate"]);
  EXPECT_GT(incident["rate_upper_bound_95"], incident["rate"]);
  EXPECT_EQ(incident["without_finding"]["exposures_to_resolve"], 3849);
  ASSERT_EQ(incident["kept_findings"].size(), 2U);
  EXPECT_EQ(incident["kept_findings"][0]["incident_id"], 1);
  EXPECT_LT(incident["kept_findings"][0]["id"], incident["kept_findings"][1]["id"]);
  ASSERT_EQ(incident["days"].size(), 1U);
  EXPECT_EQ(incident["days"][0]["day"], "2026-05-28");
  EXPECT_EQ(incident["days"][0]["runs_with_findings"], 2);
  ASSERT_EQ(incident["known_issues"].size(), 1U);
  EXPECT_EQ(incident["known_issues"][0]["id"], "iomap-nowait-duplicate");
  EXPECT_EQ(get("/api/v1/incidents/9", 404)["type"], "/problems/unknown-incident");
}

TEST_F(IncidentsTest, IsKnownUntilTheKernelChangesUnlessToldOtherwise) {
  const auto known = post("/api/v1/incidents/1/ack", {{"note", "fixed by 6.1.176"}}, 200);
  EXPECT_EQ(known["state"], "known");
  EXPECT_EQ(known["known"]["by"], "127.0.0.1");
  EXPECT_EQ(known["known"]["until"], "kernel");
  EXPECT_EQ(get("/api/v1/findings/1")["note"], "fixed by 6.1.176");
  EXPECT_EQ(post("/api/v1/incidents/1/ack", {{"note", "x"}, {"until", "rate"}}, 200)["known"]["until"], "rate");
  EXPECT_EQ(post("/api/v1/incidents/1/ack", {{"note", "x"}, {"until", "2026-12-24"}}, 200)["known"]["until"],
            "2026-12-24T00:00:00.000Z");
  const auto field = [&](const json& body) { return post("/api/v1/incidents/1/ack", body, 422)["errors"][0]["field"]; };
  EXPECT_EQ(field({{"note", "x"}, {"until", "soon"}}), "until");
  EXPECT_EQ(field({{"note", "x"}, {"until", "2020-01-01"}}), "until") << "it is over already";
  EXPECT_EQ(field({{"note", ""}}), "note");
  EXPECT_EQ(field({{"note", "x"}, {"ids", {1}}}), "ids");
  post("/api/v1/incidents/9/ack", {{"note", "x"}}, 404);
}

TEST_F(IncidentsTest, SeveralAreKnownWithOneRequest) {
  const auto acked = [&](const json& body) {
    std::vector<int> ids;
    const json answer = post("/api/v1/incidents/ack", body, 200);
    for (const auto& item : answer["items"]) ids.push_back(item["id"]);
    return ids;
  };
  EXPECT_EQ(acked({{"note", "all tear"}, {"filter", {{"kind", "torn"}, {"release", "6.1.170"}}}}),
            (std::vector<int>{3, 2}));
  EXPECT_EQ(acked({{"note", "all tear"}, {"filter", {{"kind", "torn"}}}}), std::vector<int>()) << "known already";
  EXPECT_EQ(acked({{"note", "again"}, {"ids", {1, 2}}}), (std::vector<int>{2, 1}));
  for (const json& body : {json{{"note", "x"}}, json{{"note", "x"}, {"ids", {1}}, {"filter", {{"kind", "torn"}}}},
                           json{{"note", "x"}, {"ids", {77}}}, json{{"note", "x"}, {"ids", {1, 1}}},
                           json{{"note", "x"}, {"filter", {{"state", "open"}}}}}) {
    EXPECT_GE(post("/api/v1/incidents/ack", body, 422)["errors"].size(), 1U) << body;
  }
}

TEST_F(IncidentsTest, OneThatIsResolvedCannotBeAcknowledged) {
  for (int i = 0; i < 40; ++i) daemon.run_once("data", "append", Verdict::kClean);
  EXPECT_EQ(get("/api/v1/incidents/1")["state"], "resolved");
  EXPECT_EQ(get("/api/v1/incidents/1")["resolved_on"], "6.1.170");
  EXPECT_EQ(post("/api/v1/incidents/1/ack", {{"note", "x"}}, 409)["type"], "/problems/incident-resolved");
}

}  // namespace
}  // namespace writecanary::api::test
