// POST /hooks/alertmanager: firing alerts become runs.
#include <gmock/gmock.h>

#include "api/refusal/limits.h"
#include "api/routes/alertmanager_hook.h"
#include "tests/unit/api/api_fixture.h"

namespace writecanary::api::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

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

TEST_F(HooksTest, AnAlertAboutAnotherHostIsNotThisOnes) {
  daemon.change_live([](LiveState& state) {
    state.alert_label = "instance";
    state.alert_hosts = {"10.0.0.7:9743", "db-7"};
  });
  const auto about = [&](const json& host) {
    json labels = {{"target", "data"}, {"profile", "append"}};
    if (!host.is_null()) labels["instance"] = host;
    return post(kPath, message({alert("firing", labels)}), 202)["items"][0];
  };
  for (const json& host :
       {json("db-8:9100"), json("10.0.0.8:9743"), json("10.0.0.7:9100"), json("db-77"), json("db-7x.example")}) {
    const json item = about(host);
    EXPECT_TRUE(item["run_id"].is_null()) << host;
    EXPECT_THAT(item["reason"].get<std::string>(), HasSubstr("about another host")) << host;
    EXPECT_THAT(item["reason"].get<std::string>(), HasSubstr(host.get<std::string>()));
  }
  for (const json& nothing : {json(), json(""), json(7)}) {
    EXPECT_THAT(about(nothing)["reason"].get<std::string>(), HasSubstr("no label \"instance\"")) << nothing;
  }
  EXPECT_FALSE(daemon.last_command());
  EXPECT_EQ(about("DB-7.example:9100")["run_id"], 1);
  EXPECT_EQ(about("10.0.0.7:9743")["reason"], "");

  daemon.change_live([](LiveState& state) { state.alert_label = "host"; });
  EXPECT_THAT(about("db-7")["reason"].get<std::string>(), HasSubstr("no label \"host\""));
  daemon.change_live([](LiveState& state) { state.alert_label = ""; });
  EXPECT_THAT(about(json())["reason"].get<std::string>(), IsEmpty()) << "nobody asked for the label";
}

TEST(IsAboutHost, NamesAddressesAndPorts) {
  EXPECT_TRUE(is_about_host("db-7", {"db-7.example.com"}));
  EXPECT_TRUE(is_about_host("db-7.example.com:9100", {"db-7.example.com"}));
  EXPECT_FALSE(is_about_host("db-7.other.com", {"db-7.example.com"}));
  EXPECT_FALSE(is_about_host("10.0.0.7", {"10.0.0"}));
  EXPECT_FALSE(is_about_host("10", {"10.0.0.7"}));
  EXPECT_TRUE(is_about_host("[2001:db8::7]:9743", {"2001:db8::7"}));
  EXPECT_TRUE(is_about_host("2001:db8::7", {"[2001:db8::7]"}));
  EXPECT_FALSE(is_about_host("[2001:db8::7]:9100", {"[2001:db8::7]:9743"}));
  EXPECT_FALSE(is_about_host("db-7", {"db-7:9743"})) << "a port was asked for";
  EXPECT_FALSE(is_about_host("db-7", {}));
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
