#include <functional>
#include <limits>
#include <thread>

#include "core/base/limits.h"
#include "tests/unit/api/api_fixture.h"

namespace writecanary::api::test {
namespace {

using RunsTest = ApiTest;

std::vector<std::int64_t> ids_of(const json& page) {
  std::vector<std::int64_t> ids;
  for (const auto& item : page.at("items")) ids.push_back(item.at("id"));
  return ids;
}

TEST_F(RunsTest, StartsARun) {
  auto http = client();
  const json body = {{"target", "data"},
                     {"profile", "append"},
                     {"duration_seconds", 2.5},
                     {"writes", 10},
                     {"seed", "18446744073709551615"},
                     {"memory_bytes", kMemoryBytesMin},
                     {"options", {{"write_bytes", 8192}}},
                     {"queue", true}};
  const auto answer = http.Post("/api/v1/runs", {{"Idempotency-Key", "key-1"}}, body.dump(), "application/json");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 202) << answer->body;
  const auto run = json::parse(answer->body);
  EXPECT_EQ(answer->get_header_value("Location"), "/api/v1/runs/" + std::to_string(run["id"].get<int>()));
  EXPECT_FALSE(answer->has_header("Idempotency-Replayed"));
  EXPECT_EQ(run["state"], "queued");
  EXPECT_EQ(run["seed"], "18446744073709551615");
  EXPECT_EQ(run["spec"]["seed"], "18446744073709551615");
  EXPECT_EQ(run["spec"]["writes_max"], 500);

  const auto command = std::get<StartRun>(*daemon.last_command());
  EXPECT_EQ(command.duration_ms, 2500U);
  EXPECT_EQ(command.writes, 10U);
  EXPECT_EQ(command.memory_bytes, kMemoryBytesMin);
  EXPECT_EQ(command.options.at("write_bytes"), 8192);
  EXPECT_TRUE(command.queue);
  EXPECT_FALSE(command.classic);
  EXPECT_EQ(command.idempotency_key, "key-1");
  EXPECT_EQ(daemon.last_caller().who, "127.0.0.1");

  const auto again = http.Post("/api/v1/runs", {{"Idempotency-Key", "key-1"}}, body.dump(), "application/json");
  EXPECT_EQ(json::parse(again->body)["id"], run["id"]);
  EXPECT_EQ(again->get_header_value("Idempotency-Replayed"), "true");
}

struct BadStart {
  json change;  // merged into a good request
  std::string field;
  std::string says;
};

TEST_F(RunsTest, RefusesFieldsByName) {
  const BadStart bad[] = {
      {{{"target", "nope"}}, "target", R"(no target "nope" is configured; there is "data" and "logs")"},
      {{{"target", nullptr}}, "target", "is required"},
      {{{"target", 5}}, "target", "expected a text"},
      {{{"profile", "nope"}}, "profile", R"(there is "append" and "nowait-contract")"},
      {{{"profile", ""}}, "profile", "is required"},
      {{{"duration_seconds", 0}}, "duration_seconds", "from 0.1 to 86400"},
      {{{"duration_seconds", 86400.5}}, "duration_seconds", "from 0.1 to 86400"},
      {{{"duration_seconds", "10s"}}, "duration_seconds", R"(got "10s")"},
      {{{"writes", 0}}, "writes", "from 1 to 1000000000"},
      {{{"writes", 1.5}}, "writes", "got 1.5"},
      {{{"seed", -1}}, "seed", "from 0 to 18446744073709551615"},
      {{{"seed", 1.5}}, "seed", "got 1.5"},
      {{{"seed", ""}}, "seed", "as text or as a number"},
      {{{"seed", "18446744073709551616"}}, "seed", "from 0 to 18446744073709551615"},
      {{{"seed", "0x10"}}, "seed", R"(got "0x10")"},
      {{{"memory_bytes", 1}}, "memory_bytes", "from 16777216 to 4294967296"},
      {{{"options", {{"speed", 1}}}}, "options.speed", R"(it has "write_bytes")"},
      {{{"options", {{"write_bytes", 1}}}}, "options.write_bytes", "4096 to 1048576 bytes are possible"},
      {{{"options", {{"write_bytes", "8k"}}}}, "options.write_bytes", "a whole number"},
      {{{"options", json::array()}}, "options", "an object"},
      {{{"classic", 1}}, "classic", "true or false"},
      {{{"queue", "yes"}}, "queue", "true or false"},
      {{{"durration", 1}}, "durration", "is not a field of this request"},
  };
  for (const auto& [change, field, says] : bad) {
    json body = {{"target", "data"}, {"profile", "append"}};
    for (const auto& [key, value] : change.items()) body[key] = value;
    const auto problem = post("/api/v1/runs", body, 422);
    ASSERT_EQ(problem["errors"].size(), 1U) << problem;
    EXPECT_EQ(problem["errors"][0]["field"], field);
    const auto detail = problem["errors"][0]["detail"].get<std::string>();
    EXPECT_NE(detail.find(says), std::string::npos) << detail;
  }
  EXPECT_FALSE(daemon.last_command());
  EXPECT_EQ(post("/api/v1/runs", {{"target", "x"}, {"profile", "y"}, {"z", 1}}, 422)["errors"].size(), 3U);
}

TEST_F(RunsTest, SeveralProfilesAreOneOrder) {
  const json body = {
      {"target", "data"}, {"profiles", {"append", "nowait-contract"}}, {"options", {{"write_bytes", 8192}}}};
  const auto answer = post("/api/v1/runs", body, 202);
  EXPECT_TRUE(answer["verdict"].is_null());
  ASSERT_EQ(answer["items"].size(), 2U);
  EXPECT_EQ(answer["items"][0]["profile"], "append");
  EXPECT_EQ(answer["items"][1]["profile"], "nowait-contract");
  const auto command = std::get<StartRun>(*daemon.last_command());
  EXPECT_EQ(command.more_profiles, std::vector<std::string>{"nowait-contract"});
  EXPECT_EQ(post("/api/v1/runs", {{"target", "data"}, {"profiles", {"append"}}}, 202)["items"].size(), 1U);

  const std::pair<json, std::string> bad[] = {
      {json::array(), "a list of 1 to 16 texts"},
      {{"append", ""}, "a list of 1 to 16 texts"},
      {"append", "a list of 1 to 16 texts"},
      {{"append", "append"}, "twice"},
      {{"append", "melt"}, R"(there is no profile "melt")"},
  };
  for (const auto& [profiles, says] : bad) {
    const auto problem = post("/api/v1/runs", {{"target", "data"}, {"profiles", profiles}}, 422);
    EXPECT_EQ(problem["errors"][0]["field"], "profiles") << problem;
    EXPECT_NE(problem["errors"][0]["detail"].get<std::string>().find(says), std::string::npos) << problem;
  }
  const json both = {{"target", "data"}, {"profile", "append"}, {"profiles", {"append"}}};
  EXPECT_EQ(post("/api/v1/runs", both, 422)["errors"][0]["field"], "profiles");
}

class WaitingTest : public RunsTest {
 protected:
  static std::size_t runs_asked_for(const json& body) {
    return body.contains("profiles") ? body["profiles"].size() : 1;
  }
  // Asks with the preference while `meanwhile` happens to the run, once it is there.
  httplib::Result ask(const std::string& preference, const json& body,
                      const std::function<void(std::int64_t)>& meanwhile) {
    std::thread other([&] {
      for (;;) {
        const auto runs = reader.runs({});
        if (runs.size() == runs_asked_for(body)) return meanwhile(runs.back().id);  // the first that was made
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      }
    });
    auto http = client();
    auto answer = http.Post("/api/v1/runs", {{"Prefer", preference}}, body.dump(), "application/json");
    other.join();
    return answer;
  }
  const json start = {{"target", "data"}, {"profile", "append"}};
};

TEST_F(WaitingTest, TheAnswerIsTheRunThatEnded) {
  const auto answer = ask("respond-async, wait=60", start, [&](std::int64_t id) {
    daemon.start_run(id);
    daemon.publish_progress(id);
    daemon.finish_run(id, Verdict::kViolation, {});
  });
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->get_header_value("Preference-Applied"), "wait=60");
  EXPECT_EQ(json::parse(answer->body)["verdict"], "violation");
}

TEST_F(WaitingTest, OfSeveralItWaitsForAll) {
  const auto answer =
      ask("wait=\"60\"", {{"target", "data"}, {"profiles", {"append", "nowait-contract"}}}, [&](std::int64_t id) {
        daemon.start_run(id);
        daemon.finish_run(id, Verdict::kClean, {});
        daemon.start_run(id + 1);
        daemon.finish_run(id + 1, Verdict::kUnexposed, {});
      });
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200) << answer->body;
  EXPECT_EQ(json::parse(answer->body)["verdict"], "unexposed");
}

TEST_F(WaitingTest, WhatHasNotEndedInTimeIs202) {
  const auto answer = ask("wait=5", start, [&](std::int64_t id) {
    daemon.start_run(id);
    clock.now_ms += 6000;
    daemon.publish_progress(id);
  });
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 202);
  EXPECT_EQ(answer->get_header_value("Preference-Applied"), "wait=5");
  EXPECT_EQ(json::parse(answer->body)["state"], "running");
}

TEST_F(WaitingTest, OtherPreferencesAreNotFollowed) {
  for (const char* preference : {"respond-async", "wait=soon", "wait=0", "wait", "waiting=5", ""}) {
    auto http = client();
    const auto answer = http.Post("/api/v1/runs", {{"Prefer", preference}}, start.dump(), "application/json");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 202) << preference;
    EXPECT_FALSE(answer->has_header("Preference-Applied")) << preference;
  }
}

TEST_F(RunsTest, PassesTheDaemonsRefusalOn) {
  daemon.refuse_next = Refusal{409, "target-busy", "The target is busy", "run 3 is in progress", {}};
  const auto problem = post("/api/v1/runs", {{"target", "data"}, {"profile", "append"}}, 409);
  EXPECT_EQ(problem["type"], "/problems/target-busy");
  EXPECT_EQ(problem["detail"], "run 3 is in progress");
  EXPECT_EQ(problem["instance"], "/api/v1/runs");
}

TEST_F(RunsTest, RefusesABadIdempotencyKey) {
  auto http = client();
  const auto answer = http.Post("/api/v1/runs", {{"Idempotency-Key", std::string(256, 'k')}}, "{}", "application/json");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 400);
  EXPECT_EQ(json::parse(answer->body)["type"], "/problems/invalid-idempotency-key");
}

TEST_F(RunsTest, ShowsARunWithSpecAndFindingsInOrder) {
  auto second = duplicate_finding();
  second.kind = FindingKind::kTorn;
  const auto id = daemon.run_once("data", "append", Verdict::kCorrupt, {duplicate_finding(), second});
  const auto run = get("/api/v1/runs/" + std::to_string(id));
  EXPECT_EQ(run["state"], "finished");
  EXPECT_EQ(run["verdict"], "corrupt");
  EXPECT_EQ(run["spec"]["path"], "/data");
  ASSERT_EQ(run["findings"].size(), 2U);
  EXPECT_EQ(run["findings"][0]["kind"], "duplicate");
  EXPECT_EQ(run["findings"][1]["kind"], "torn");
  EXPECT_EQ(run["finding_counts"], json({{"duplicate", 1}, {"torn", 1}}));
  EXPECT_FALSE(run.contains("progress"));
  EXPECT_EQ(get("/api/v1/runs/99", 404)["type"], "/problems/unknown-run");
  EXPECT_EQ(get("/api/v1/runs/abc", 404)["type"], "/problems/unknown-run");
  EXPECT_EQ(get("/api/v1/runs/-1", 404)["type"], "/problems/unknown-run");
}

TEST_F(RunsTest, ARunningRunShowsItsLiveCounters) {
  const auto id = daemon.add_run("data", "append");
  daemon.start_run(id);
  daemon.change_live([&](LiveState& state) {
    LiveRun live{id, "data", "append", clock.steady() - std::chrono::seconds{3}, {}};
    live.progress.elapsed_seconds = 2.75;
    live.progress.fraction = 0.3;
    live.progress.counters.writes = 77;
    live.progress.tally.add(FindingKind::kTorn, 100);
    state.runs = {live};
  });
  const auto run = get("/api/v1/runs/" + std::to_string(id));
  EXPECT_EQ(run["state"], "running");
  EXPECT_EQ(run["verdict"], nullptr);
  EXPECT_EQ(run["writes"], 77);
  EXPECT_EQ(run["finding_counts"], json({{"torn", 1}}));
  EXPECT_EQ(run["progress"], json({{"elapsed_seconds", 2.75}, {"fraction", 0.3}}));
  EXPECT_EQ(get("/api/v1/runs")["items"][0]["writes"], 77);
}

TEST_F(RunsTest, StopsARun) {
  const auto id = daemon.add_run("data", "append");
  daemon.start_run(id);
  const std::string path = "/api/v1/runs/" + std::to_string(id) + "/stop";
  auto http = client();
  const auto answer = http.Post(path);  // no body at all
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 202) << answer->body;
  EXPECT_EQ(json::parse(answer->body)["verdict"], "stopped");
  EXPECT_EQ(std::get<StopRun>(*daemon.last_command()).run_id, id);
  post("/api/v1/runs/99/stop", json::object(), 404);
  post(path, {{"why", "x"}}, 422);
}

TEST_F(RunsTest, PagesThroughAllRunsOnce) {
  std::vector<std::int64_t> expected;
  for (int i = 0; i < 10; ++i) expected.insert(expected.begin(), daemon.add_run("data", "append"));
  std::vector<std::int64_t> seen;
  std::string cursor;
  int pages = 0;
  do {
    const auto page = get("/api/v1/runs?limit=5" + (cursor.empty() ? "" : "&cursor=" + cursor));
    for (const auto id : ids_of(page)) seen.push_back(id);
    cursor = page["next_cursor"].is_null() ? "" : page["next_cursor"].get<std::string>();
    if (pages++ == 0) daemon.add_run("logs", "append");  // arrivals do not shift the pages
  } while (!cursor.empty());
  EXPECT_EQ(pages, 2);  // the last page knows that it is the last, although it is full
  EXPECT_EQ(seen, expected);
}

TEST_F(RunsTest, FiltersRuns) {
  const auto clean = daemon.run_once("data", "append", Verdict::kClean);
  const auto corrupt = daemon.run_once("logs", "append", Verdict::kCorrupt);
  clock.now_ms += 60'000;
  const auto later = daemon.run_once("logs", "nowait-contract", Verdict::kClean);
  const auto queued = daemon.add_run("logs", "append");
  const auto list = [&](const std::string& query) { return ids_of(get("/api/v1/runs?" + query)); };
  using Ids = std::vector<std::int64_t>;
  EXPECT_EQ(list("target=data"), Ids({clean}));
  EXPECT_EQ(list("profile=nowait-contract"), Ids({later}));
  EXPECT_EQ(list("verdict=corrupt"), Ids({corrupt}));
  EXPECT_EQ(list("state=queued"), Ids({queued}));
  EXPECT_EQ(list("kernel=6.1.170&target=logs"), Ids({later, corrupt}));
  EXPECT_EQ(list("since=1780000060"), Ids({queued, later}));
  EXPECT_EQ(list("until=2026-05-28T20:27:40Z"), Ids({corrupt, clean}));
  EXPECT_EQ(list("target=nowhere"), Ids());
}

TEST_F(RunsTest, RefusesParametersByName) {
  const std::pair<std::string, std::string> bad[] = {
      {"verdict=good", R"("good" is not possible; expected one of "clean", "corrupt")"},
      {"state=done", R"(one of "queued", "running" and "finished")"},
      {"since=yesterday", "RFC 3339"},
      {"until=", "leave the parameter out"},
      {"limit=0", "a number from 1 to 500"},
      {"limit=501", "a number from 1 to 500"},
      {"limit=1x", "a number from 1 to 500"},
      {"cursor=abc", "next_cursor of an earlier answer"},
      {"targt=data", R"(it knows "target", "profile")"},
      {"limit=1&limit=2", "more than once"},
  };
  for (const auto& [query, says] : bad) {
    const auto problem = get("/api/v1/runs?" + query, 400);
    EXPECT_EQ(problem["type"], "/problems/invalid-query");
    ASSERT_EQ(problem["errors"].size(), 1U) << query;
    EXPECT_EQ(problem["errors"][0]["field"], query.substr(0, query.find('=')));
    const auto detail = problem["errors"][0]["detail"].get<std::string>();
    EXPECT_NE(detail.find(says), std::string::npos) << detail;
  }
  EXPECT_EQ(get("/api/v1/runs?verdict=x&state=y", 400)["errors"].size(), 2U);
}

}  // namespace
}  // namespace writecanary::api::test
