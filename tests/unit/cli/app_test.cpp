#include "cli/app.h"

#include <gtest/gtest.h>

#include <mutex>
#include <nlohmann/json.hpp>

#include "cli/terminal/run_view.h"
#include "tests/unit/cli/support.h"

namespace writecanary::cli {
namespace {

nlohmann::json finished_run(Verdict verdict) {
  RunResult result;
  result.profile = "append";
  result.end = sample_end(verdict);
  nlohmann::json run = run_document(result);
  run.update({{"id", 12}, {"target", "data"}, {"state", "finished"}, {"finished_at", "2026-06-04T14:43:33.000Z"}});
  return run;
}

// A daemon with one target, one run and one finding; keeps what it was asked.
class App : public testing::Test {
 protected:
  App() : daemon_([this](httplib::Server& server) { route(server); }) {}

  int run(std::vector<std::string> arguments) {
    test_.out.str("");
    test_.err.str("");
    arguments.insert(arguments.begin() + 1, {"--url", daemon_.url()});
    return run_command_line(test_.environment, std::move(arguments));
  }
  std::string out() const { return test_.out.str(); }
  std::string err() const { return test_.err.str(); }

  void answer(const std::string& path, std::string body) { answers_[path] = std::move(body); }

  void route(httplib::Server& server) {
    const auto reply = [this](const httplib::Request& request, httplib::Response& response) {
      const std::lock_guard lock(mutex_);
      asked_.push_back(request.target + (request.body.empty() ? "" : " " + request.body));
      const auto found = answers_.find(request.method == "POST" ? "POST " + request.path : request.path);
      if (found == answers_.end()) {
        response.status = 404;
        response.set_content(R"({"title":"Not found","status":404,"detail":"there is nothing here"})",
                             "application/problem+json");
        return;
      }
      response.set_content(found->second, request.path.ends_with("/events") ? "text/event-stream" : "application/json");
    };
    server.Get(".*", reply);
    server.Post(".*", reply);
  }

  std::mutex mutex_;
  std::map<std::string, std::string> answers_;  // set before the request; guarded by mutex_ while one runs
  std::vector<std::string> asked_;              // guarded by mutex_
  TestEnvironment test_;
  TestDaemon daemon_;
};

TEST_F(App, WhatIsNotACommandExitsOne) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"chekc"},
                                             {"check"},
                                             {"check", "/tmp", "--writes", "0"},
                                             {"check", "/tmp", "--writes", "-1"},
                                             {"check", "/tmp", "--duration", "ten"},
                                             {"check", "/tmp", "--duration", "0s"},
                                             {"check", "/tmp", "--duration", "25h"},
                                             {"check", "/tmp", "--memory", "1MiB"},
                                             {"check", "/tmp", "--memory", "64"},
                                             {"check", "/tmp", "--option", "size"},
                                             {"check", "/tmp", "--option", "size=big"},
                                             {"check", "/tmp", "--min-free", "much"},
                                             {"check", "/tmp", "--seed", "-4"},
                                             {"stop"},
                                             {"stop", "x"},
                                             {"stop", "0"},
                                             {"ack", "3"},
                                             {"report", "3", "--format", "pdf"},
                                             {"status", "--url", "nonsense"}}) {
    TestEnvironment test;
    EXPECT_EQ(run_command_line(test.environment, arguments), 1) << testing::PrintToString(arguments);
    EXPECT_NE(test.err.str(), "") << testing::PrintToString(arguments);
    EXPECT_EQ(test.out.str(), "") << testing::PrintToString(arguments);
  }
}

TEST_F(App, HelpAndVersionExitZeroOnStdout) {
  for (const char* argument : {"--help", "--version"}) {
    TestEnvironment test;
    EXPECT_EQ(run_command_line(test.environment, {argument}), 0);
    EXPECT_NE(test.out.str().find("writecanary"), std::string::npos);
  }
}

TEST_F(App, UnreachableDaemonExitsFive) {
  TestEnvironment test;
  EXPECT_EQ(run_command_line(test.environment, {"status", "--url", "unix:/nonexistent/api.sock"}), 5);
  EXPECT_NE(test.err.str().find("Is writecanaryd running?"), std::string::npos);
}

TEST_F(App, TheAddressMayComeFromTheEnvironment) {
  TestEnvironment test;
  answer("/api/v1/targets", R"({"items":[]})");
  setenv("WRITECANARY_URL", daemon_.url().c_str(), 1);
  EXPECT_EQ(run_command_line(test.environment, {"targets"}), 0);
  unsetenv("WRITECANARY_URL");
  EXPECT_EQ(test.out.str(), "No targets are configured.\n");
}

TEST_F(App, JsonIsTheDocumentUnchanged) {
  for (const char* name : {"status", "targets", "runs", "findings"}) {
    answer(std::string("/api/v1/") + name, R"({ "b": 1,  "a": [] })");
    EXPECT_EQ(run({name, "--json"}), 0) << err();
    EXPECT_EQ(out(), "{ \"b\": 1,  \"a\": [] }\n");
  }
}

TEST_F(App, FiltersBecomeTheQuery) {
  answer("/api/v1/runs", R"({"items":[],"next_cursor":"abc"})");
  EXPECT_EQ(run({"runs", "--target", "my data", "--verdict", "corrupt", "--limit", "5"}), 0);
  EXPECT_EQ(asked_.back(), "/api/v1/runs?limit=5&target=my%20data&verdict=corrupt");
  EXPECT_NE(err().find("--cursor abc"), std::string::npos);
}

TEST_F(App, StatusIsOneScreen) {
  answer(
      "/api/v1/status",
      R"({"summary":"1 of 2 profiles is clean","hostname":"box","kernel":{"release":"6.1.0"},"version":"0.1.0","uptime_seconds":60,
             "ready":true,"pressure":{"backend":"none","reason":"no delegation"},"database":{"path":"/var/x.db"},
             "config":{"reload_successful":true},"notices":["evidence lies there"],"incidents":{"open":{"torn":2,"stale":0},"known":1}})");
  answer("/api/v1/targets",
         R"({"items":[{"name":"data","state":"not_mounted","state_reason":"/data is not a mount point","profiles":[
              {"profile":"append","last_verdict":"clean","last_run_at":"2026-06-04T14:43:33.000Z","last_clean_at":"2026-06-04T14:43:33.000Z",
               "next_run_at":"2026-06-04T14:58:33.000Z","exposures":1200,"finding_counts":{}},
              {"profile":"offset","last_verdict":null,"exposures":0,"finding_counts":{"torn":2}}]}]})");
  EXPECT_EQ(run({"status"}), 0) << err();
  EXPECT_EQ(out(),
            "1 of 2 profiles is clean\n\n"
            "box, Linux 6.1.0; writecanaryd 0.1.0, up 1 min; memory cgroup: none; database /var/x.db\n"
            "! no memory cgroup: no delegation\n"
            "! evidence lies there\n"
            "! data is not_mounted: /data is not a mount point\n\n"
            "TARGET  PROFILE  VERDICT    LAST RUN   LAST CLEAN  EXPOSURES  NEXT RUN   FINDINGS\n"
            "data    append   clean      3 min ago  3 min ago       1,200  in 12 min  none\n"
            "data    offset   never run  -          never               0  -          torn 2\n\n"
            "Open incidents: torn 2; known: 1\n");
}

TEST_F(App, HealthIsAnExitCode) {
  answer("/healthz", R"({"status":"ok"})");
  EXPECT_EQ(run({"health"}), 0) << err();
  EXPECT_EQ(asked_.back(), "/healthz");
  EXPECT_EQ(out(), "The daemon answers.\n");
  EXPECT_EQ(run({"health", "--json"}), 0);
  EXPECT_EQ(out(), "{\"status\":\"ok\"}\n");
  TestDaemon sick([](httplib::Server& server) {
    server.Get("/healthz", [](const httplib::Request&, httplib::Response& response) {
      response.status = 503;
      response.set_content(R"({"title":"The loop stands still","status":503})", "application/problem+json");
    });
  });
  TestEnvironment test;
  EXPECT_EQ(run_command_line(test.environment, {"health", "--url", sick.url()}), 5);
  EXPECT_EQ(test.out.str(), "");
  EXPECT_EQ(run_command_line(test.environment, {"health", "--url", "unix:/nonexistent/api.sock"}), 5);
}

TEST_F(App, RunIsStartedWithWhatWasAsked) {
  answer("POST /api/v1/runs", R"({"id":12,"target":"data","profile":"offset","state":"queued"})");
  EXPECT_EQ(run({"run", "data", "--profile", "offset", "--duration", "1500ms", "--writes", "7", "--option", "size=9",
                 "--queue"}),
            0)
      << err();
  EXPECT_EQ(
      asked_.back(),
      R"(/api/v1/runs {"duration_seconds":1.5,"options":{"size":9},"profile":"offset","queue":true,"target":"data","writes":7})");
  EXPECT_EQ(out(), "Run 12 of data/offset is queued. Follow it with: writecanary watch 12\n");
}

TEST_F(App, WaitEndsWithTheVerdict) {
  answer("POST /api/v1/runs", R"({"id":12,"target":"data","profile":"append","state":"queued"})");
  answer("/api/v1/runs/12/events", "id: 3\nevent: run.started\ndata: {}\n\nid: 4\nevent: run.finished\ndata: {}\n\n");
  answer("/api/v1/runs/12", finished_run(Verdict::kUnexposed).dump());
  EXPECT_EQ(run({"run", "data", "--wait"}), exit_code(Verdict::kUnexposed)) << err();
  EXPECT_NE(out().find("Verdict: unexposed\n"), std::string::npos) << out();
}

TEST_F(App, FollowDrawsTheProgress) {
  nlohmann::json progress = sample_end(Verdict::kClean).counters;
  progress.update({{"run_id", 12},
                   {"target", "data"},
                   {"profile", "append"},
                   {"elapsed_seconds", 1.0},
                   {"fraction", 0.25},
                   {"finding_counts", {{"torn", 1}}}});
  answer("POST /api/v1/runs", R"({"id":12,"target":"data","profile":"append","state":"queued"})");
  answer("/api/v1/runs/12/events",
         "event: run.progress\ndata: " + progress.dump() + "\n\nid: 4\nevent: run.finished\ndata: {}\n\n");
  answer("/api/v1/runs/12", finished_run(Verdict::kClean).dump());
  test_.environment.err_is_terminal = true;
  test_.environment.columns = 120;
  EXPECT_EQ(run({"run", "data", "--follow", "--json"}), 0) << err();
  EXPECT_NE(err().find("data/append  [#####...............]  25%  500 writes  499 exposures  1 MiB  1 finding"),
            std::string::npos)
      << err();
  EXPECT_EQ(nlohmann::json::parse(out()).at("verdict"), "clean");
}

TEST_F(App, ARefusedRunSaysWhy) {
  EXPECT_EQ(run({"run", "nowhere"}), 1);
  EXPECT_EQ(err(), "writecanary: Not found: there is nothing here\n");
}

TEST_F(App, WatchEndsWithItsRun) {
  answer("/api/v1/runs/12/events",
         "id: 3\nevent: incident.opened\ndata: "
         "{\"incident_id\":5,\"run_id\":12,\"target\":\"data\",\"profile\":\"append\",\"kind\":\"torn\","
         "\"kernel_release\":\"6.18\\u001b[2J\",\"findings\":1}\n\n"
         "id: 4\nevent: run.finished\ndata: " +
             finished_run(Verdict::kCorrupt).dump() + "\n\n");
  EXPECT_EQ(run({"watch", "12"}), 0) << err();
  EXPECT_EQ(out(),
            "2026-06-04T14:46:33.000Z  incident 5 opened: torn in data/append, kernel 6.18\\x1b[2J, 1 finding\n"
            "2026-06-04T14:46:33.000Z  run 12 data/append: corrupt: 500 of 500 writes were exposed\n");
}

TEST_F(App, StopAckAndReport) {
  answer("POST /api/v1/runs/12/stop", finished_run(Verdict::kStopped).dump());
  EXPECT_EQ(run({"stop", "12"}), 0) << err();
  EXPECT_EQ(out(), "Run 12 was told to stop.\n");

  answer("POST /api/v1/incidents/5/ack",
         R"({"id":5,"kind":"torn","target":"data","kernel_release":"6.18","state":"known",
      "known":{"note":"fine here","by":"alice","until":"kernel"}})");
  EXPECT_EQ(run({"ack", "5", "--note", "fine here"}), 0) << err();
  EXPECT_EQ(asked_.back(), R"(/api/v1/incidents/5/ack {"note":"fine here","until":"kernel"})");
  EXPECT_EQ(out(), "Incident 5 (torn on data, kernel 6.18) is known: fine here (by alice, until kernel)\n");
  EXPECT_EQ(run({"ack", "5", "--note", "x", "--until", "2026-12-24"}), 0) << err();
  EXPECT_EQ(asked_.back(), R"(/api/v1/incidents/5/ack {"note":"x","until":"2026-12-24"})");

  answer("/api/v1/findings/5/report", "Subject: torn append\n");
  answer("/api/v1/findings/5", R"({"id":5})");
  EXPECT_EQ(run({"report", "5"}), 0);
  EXPECT_EQ(out(), "Subject: torn append\n");
  EXPECT_EQ(run({"report", "5", "--format", "json"}), 0);
  EXPECT_EQ(out(), "{\"id\":5}\n");
}

TEST_F(App, ListsAreTables) {
  answer("/api/v1/runs", nlohmann::json{{"items", {finished_run(Verdict::kClean)}}}.dump());
  EXPECT_EQ(run({"runs"}), 0);
  EXPECT_NE(out().find("12  data    append   clean    3 min ago     500        499  none      500 of 500"),
            std::string::npos)
      << out();

  answer("/api/v1/findings",
         R"({"items":[{"id":5,"kind":"torn","acknowledged":false,"target":"data","profile":"append","run_id":12,
      "found_at":"2026-06-04T14:46:03.000Z","offset_bytes":4096,"length_bytes":10000,"detail":"split"}]})");
  EXPECT_EQ(run({"findings"}), 0);
  EXPECT_NE(out().find("5  torn  open   data    append    12  30 s ago   4,096  10,000  split"), std::string::npos)
      << out();
}

TEST_F(App, IncidentsAreThoseThatAreNotOver) {
  answer("/api/v1/incidents",
         R"({"items":[{"id":3,"state":"open","kind":"torn","class":"atomicity","target":"data","profile":"append",
      "kernel_release":"6.18","first_seen_at":"2026-06-04T14:43:33.000Z","last_seen_at":"2026-06-04T14:46:03.000Z",
      "runs":12,"findings":2400,"rate":0.05}]})");
  EXPECT_EQ(run({"incidents", "--kind", "torn"}), 0) << err();
  EXPECT_EQ(asked_.back(), "/api/v1/incidents?kind=torn&state=open%2Cknown");
  EXPECT_NE(out().find("3  open   torn  data    append   6.18    3 min ago  30 s ago    12     2,400  1 in 20"),
            std::string::npos)
      << out();
  EXPECT_EQ(run({"incidents", "--all"}), 0) << err();
  EXPECT_EQ(asked_.back(), "/api/v1/incidents");
}

TEST_F(App, ProfilesComeFromTheProbe) {
  const TemporaryDirectory directory;
  const FakeProbe probe(directory, small_catalogue(), "exit 1");
  TestEnvironment test;
  EXPECT_EQ(run_command_line(test.environment, {"profiles"}), 0) << test.err.str();
  EXPECT_NE(test.out.str().find("append (detector): Appends\n  Appends through io_uring\n"), std::string::npos)
      << test.out.str();
  EXPECT_NE(test.out.str().find("--option size=512  8 to 4096 bytes: Size of a write"), std::string::npos);
  TestEnvironment json;
  EXPECT_EQ(run_command_line(json.environment, {"profiles", "--json"}), 0);
  EXPECT_EQ(nlohmann::json::parse(json.out.str()).at("items").size(), 2U);
}

}  // namespace
}  // namespace writecanary::cli
