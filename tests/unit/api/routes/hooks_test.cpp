// POST /hooks/alertmanager: firing alerts become runs.
#include <gmock/gmock.h>

#include "api/refusal/limits.h"
#include "tests/unit/api/api_fixture.h"

namespace writecanary::api::test {
namespace {

using testing::HasSubstr;

constexpr char kPath[] = "/api/v1/hooks/alertmanager";

using HooksTest = ApiTest;

// An alert as Alertmanager 0.25 sends it.
json alert(const std::string& status, const json& labels) {
  json all = labels;
  all["alertname"] = "DiskErrors";
  return {{"status", status},
          {"labels", all},
          {"annotations", {{"summary", "I/O errors"}}},
          {"startsAt", "2026-06-04T14:46:33.12Z"},
          {"endsAt", "0001-01-01T00:00:00Z"},
          {"generatorURL", "http://prometheus:9090/graph"},
          {"fingerprint", "b2f8f4ac4a3d8e1c"}};
}

json message(const std::vector<json>& alerts) {
  return {{"receiver", "canary"}, {"status", "firing"},         {"alerts", alerts},
          {"version", "4"},       {"groupKey", "{}:{a=\"b\"}"}, {"truncatedAlerts", 0}};
}

TEST_F(HooksTest, AFiringAlertBecomesARun) {
  const json answer = post(kPath, message({alert("firing", {{"target", "data"}, {"profile", "append"}})}), 202);
  const json& item = answer["items"][0];
  EXPECT_EQ(item["run_id"], 1);
  EXPECT_EQ(item["reason"], "");
  EXPECT_EQ(item["alertname"], "DiskErrors");
  const auto start = std::get<StartRun>(*daemon.last_command());
  EXPECT_EQ(start.target, "data");
  EXPECT_EQ(start.profile, "append");
  EXPECT_TRUE(start.queue);
  EXPECT_THAT(daemon.last_caller().who, HasSubstr("alert DiskErrors"));
  EXPECT_EQ(get("/api/v1/runs/1")["target"], "data");
}

TEST_F(HooksTest, TheSameAlertSentAgainStartsNoSecondRun) {
  const json body = message({alert("firing", {{"target", "data"}, {"profile", "append"}})});
  post(kPath, body, 202);
  const json item = post(kPath, body, 202)["items"][0];
  EXPECT_EQ(item["run_id"], 1);
  EXPECT_EQ(item["replayed"], true);
  json later = body;
  later["alerts"][0]["startsAt"] = "2026-06-05T00:00:00Z";
  EXPECT_EQ(post(kPath, later, 202)["items"][0]["run_id"], 2) << "it fires anew";
}

TEST_F(HooksTest, EachAlertGetsItsOwnAnswer) {
  const json answer = post(
      kPath,
      message({alert("resolved", {{"target", "data"}, {"profile", "append"}}), alert("firing", {{"target", "data"}}),
               alert("firing", {{"target", "elsewhere"}, {"profile", "append"}}),
               alert("firing", {{"target", "data"}, {"profile", "melt"}}), json(7),
               alert("firing", {{"target", "logs"}, {"profile", "append"}})}),
      202);
  ASSERT_EQ(answer["items"].size(), 6U);
  const char* reasons[] = {"does not fire", "do not name", "no target \"elsewhere\"", "no profile \"melt\"",
                           "does not fire"};
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_TRUE(answer["items"][i]["run_id"].is_null()) << i;
    EXPECT_THAT(answer["items"][i]["reason"].get<std::string>(), HasSubstr(reasons[i])) << i;
  }
  EXPECT_EQ(answer["items"][5]["run_id"], 1);
}

TEST_F(HooksTest, WhatPassesIsLeftToAlertmanagerToTryAgain) {
  const json body = message({alert("firing", {{"target", "data"}, {"profile", "append"}})});
  daemon.refuse_next = Refusal{503, "unavailable", "The daemon cannot take this now", "shutting down", {}};
  post(kPath, body, 503);
  daemon.refuse_next = Refusal{409, "budget", "The budget is used up", "20 GiB a day", {}};
  EXPECT_EQ(post(kPath, body, 202)["items"][0]["reason"], "20 GiB a day");
}

TEST_F(HooksTest, WhatIsNoMessageIsRefused) {
  post(kPath, json::array(), 422);
  post(kPath, {{"alerts", "many"}}, 422);
  post(kPath, message(std::vector<json>(kHookAlertsMax + 1, json::object())), 422);
  auto http = client();
  EXPECT_EQ(http.Post(kPath, "{", "application/json")->status, 400);
}

}  // namespace
}  // namespace writecanary::api::test
