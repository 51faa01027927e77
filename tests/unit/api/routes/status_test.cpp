#include <regex>

#include "core/base/version.h"
#include "tests/unit/api/api_fixture.h"

namespace writecanary::api::test {
namespace {

using StatusTest = ApiTest;

TEST_F(StatusTest, SaysEverythingInOneLook) {
  daemon.run_once("data", "append", Verdict::kClean);
  daemon.run_once("data", "append", Verdict::kCorrupt, {duplicate_finding()});
  const auto status = get("/api/v1/status");
  EXPECT_EQ(status["version"], kVersion);
  EXPECT_EQ(status["kernel"]["release"], "6.1.170");
  EXPECT_EQ(status["uptime_seconds"], 60.0);
  EXPECT_EQ(status["ready"], true);
  EXPECT_EQ(status["pressure"]["backend"], "cgroup2");
  EXPECT_EQ(status["targets"], 2);
  EXPECT_GT(status["database"]["size_bytes"], 0);
  EXPECT_EQ(status["verdicts"].size(), kAllVerdicts.size());
  EXPECT_EQ(status["verdicts"]["clean"], 1);
  EXPECT_EQ(status["verdicts"]["corrupt"], 1);
  EXPECT_EQ(status["incidents"]["open"].size(), kAllFindingKinds.size());
  EXPECT_EQ(status["incidents"]["open"]["duplicate"], 1);
  EXPECT_EQ(status["incidents"]["known"], 0);
  EXPECT_EQ(status["summary"], "2 targets, 0 runs in progress, 1 open incident, 1 of corruption.");
}

TEST_F(StatusTest, NamesTheRunsInProgress) {
  daemon.change_live([](LiveState& state) { state.runs = {{5, "data", "append", {}, {}}}; });
  EXPECT_EQ(get("/api/v1/status")["runs_in_progress"], json({5}));
}

TEST_F(StatusTest, ListsProfilesWithTheirOptions) {
  const auto items = get("/api/v1/profiles")["items"];
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0]["name"], "append");
  EXPECT_EQ(items[0]["options"][0]["maximum"], 1'048'576);
}

TEST_F(StatusTest, KernelsCarryTheirBound) {
  daemon.run_once("data", "append", Verdict::kClean);
  const auto items = get("/api/v1/kernels")["items"];
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0]["release"], "6.1.170");
  EXPECT_EQ(items[0]["exposures"], 99);
  EXPECT_NEAR(items[0]["rate_upper_bound_95"].get<double>(), 2.9957 / 99, 1e-5);
  EXPECT_EQ(items[0]["known_issues"][0]["id"], "iomap-nowait-duplicate");
}

TEST_F(StatusTest, KnownIssuesConcernMountedTargets) {
  const auto issues_on = [&](const std::string& fstype, bool mounted) {
    daemon.change_live([&](LiveState& live) {
      live.kernel = {"6.1.170", "#1 SMP", "x86_64"};
      for (auto& target : live.targets) target.filesystem.type = fstype, target.mounted = mounted;
    });
    return get("/api/v1/status")["known_issues"];
  };
  const auto on_xfs = issues_on("xfs", true);
  ASSERT_FALSE(on_xfs.empty());
  EXPECT_EQ(on_xfs[0]["id"], "iomap-nowait-duplicate");
  EXPECT_EQ(on_xfs[0]["fixed_in"], "6.1.176");
  EXPECT_NE(on_xfs[0]["text"].get<std::string>().find("fixed in 6.1.176"), std::string::npos);
  EXPECT_TRUE(issues_on("tmpfs", true).empty());
  EXPECT_TRUE(issues_on("xfs", false).empty());
}

TEST_F(StatusTest, TellsTheSelfTest) {
  EXPECT_EQ(get("/api/v1/status")["self_test"]["ok"], false) << "nothing tested yet";
  daemon.change_live([](LiveState& live) {
    live.self_test = {.version = "1", .revision = "r", .at_ms = 0, .error = {}, .detectors = {}};
    live.self_test.detectors = {{FindingKind::kTorn, true, true, true, ""}};
  });
  const auto told = get("/api/v1/status")["self_test"];
  EXPECT_EQ(told["ok"], true);
  EXPECT_EQ(told["detectors"][0]["kind"], "torn");
}

TEST_F(StatusTest, HealthFollowsTheLoop) {
  EXPECT_EQ(get("/healthz")["status"], "ok");
  clock.now_ms += 9'999;
  EXPECT_EQ(get("/healthz")["status"], "ok");
  clock.now_ms += 1;
  EXPECT_EQ(get("/healthz", 503)["type"], "/problems/loop-stalled");
}

TEST_F(StatusTest, NobodySetsTheClockThatHealthGoesBy) {
  constexpr std::int64_t kYearMs = 365LL * 24 * 3600 * 1000;
  for (const auto set_by_ms : {kYearMs, -kYearMs}) {
    clock.set_by_ms = set_by_ms;
    EXPECT_EQ(get("/healthz")["loop_age_seconds"], 0.0);
    EXPECT_EQ(get("/api/v1/status")["uptime_seconds"], 60.0);
  }
}

TEST_F(StatusTest, NoticesAreToldAsTheyAre) {
  EXPECT_EQ(get("/api/v1/status")["notices"], json::array());
  daemon.change_live([](LiveState& live) { live.notices = {"evidence lies there"}; });
  EXPECT_EQ(get("/api/v1/status")["notices"], json({"evidence lies there"}));
}

TEST_F(StatusTest, ReadinessSaysWhyNot) {
  EXPECT_EQ(get("/readyz")["status"], "ready");
  daemon.change_live([](LiveState& state) {
    state.ready = false;
    state.not_ready_reason = "the probe's catalogue is not read yet";
  });
  const auto problem = get("/readyz", 503);
  EXPECT_EQ(problem["type"], "/problems/not-ready");
  EXPECT_NE(problem["detail"].get<std::string>().find("catalogue is not read yet"), std::string::npos);
}

TEST_F(StatusTest, TargetsJoinLiveStateAndHistory) {
  const auto run = daemon.run_once("data", "append", Verdict::kCorrupt, {duplicate_finding()});
  daemon.run_once("data", "offset", Verdict::kClean);  // not scheduled
  const auto targets = get("/api/v1/targets")["items"];
  ASSERT_EQ(targets.size(), 2U);
  const auto target = get("/api/v1/targets/data");
  EXPECT_EQ(target, targets[0]);
  EXPECT_EQ(target["filesystem"]["type"], "xfs");
  EXPECT_EQ(target["state"], "idle");
  ASSERT_EQ(target["profiles"].size(), 3U);
  EXPECT_EQ(target["profiles"][0]["profile"], "append");
  EXPECT_EQ(target["profiles"][0]["last_verdict"], "corrupt");
  EXPECT_EQ(target["profiles"][0]["last_run"], run);
  EXPECT_EQ(target["profiles"][0]["last_clean_at"], nullptr);
  EXPECT_EQ(target["profiles"][0]["next_run_at"], "2026-05-28T20:41:40.000Z");
  EXPECT_EQ(target["profiles"][0]["finding_counts"], json({{"duplicate", 1}}));
  EXPECT_EQ(target["profiles"][1]["last_verdict"], nullptr);
  EXPECT_EQ(target["profiles"][2]["profile"], "offset");
  EXPECT_EQ(target["profiles"][2]["runs_by_verdict"]["clean"], 1);
}

TEST_F(StatusTest, UnknownTargetNamesTheConfiguredOnes) {
  const auto problem = get("/api/v1/targets/nope", 404);
  EXPECT_EQ(problem["type"], "/problems/unknown-target");
  EXPECT_NE(problem["detail"].get<std::string>().find(R"("data" and "logs")"), std::string::npos);
}

TEST_F(StatusTest, PauseAndResume) {
  auto target = post("/api/v1/targets/data/pause", {{"note", "backup until six"}}, 200);
  EXPECT_EQ(target["paused"], true);
  EXPECT_EQ(target["paused_note"], "backup until six");
  EXPECT_EQ(daemon.last_caller().who, "127.0.0.1");
  target = post("/api/v1/targets/data/resume", json::object(), 200);
  EXPECT_EQ(target["paused"], false);
  post("/api/v1/targets/nope/pause", json::object(), 404);
  EXPECT_EQ(post("/api/v1/targets/data/pause", {{"note", 3}}, 422)["errors"][0]["field"], "note");
  EXPECT_EQ(post("/api/v1/targets/data/resume", {{"note", "x"}}, 422)["errors"][0]["field"], "note");
}

TEST_F(StatusTest, ServesThePageWithItsTag) {
  auto http = client();
  const auto page = http.Get("/");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->status, 200);
  EXPECT_EQ(page->get_header_value("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(page->get_header_value("Cache-Control"), "no-cache");
  const auto tag = page->get_header_value("ETag");
  const auto again = http.Get("/", {{"If-None-Match", tag}});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->status, 304);
  EXPECT_TRUE(again->body.empty());
  EXPECT_EQ(http.Get("/app.js")->get_header_value("Content-Type"), "text/javascript; charset=utf-8");
}

TEST_F(StatusTest, ServesThePageCompressedToThoseWhoTakeIt) {
  auto http = client();
  const auto plain =
      http.Get("/app.css", {{"Accept-Encoding", "identity"}});  // some versions ask for gzip by themselves
  ASSERT_TRUE(plain);
  EXPECT_FALSE(plain->has_header("Content-Encoding"));
  EXPECT_EQ(plain->get_header_value("Vary"), "Accept-Encoding");
  const auto compressed = http.Get("/app.css", {{"Accept-Encoding", "br, gzip"}});
  ASSERT_TRUE(compressed);
  EXPECT_EQ(compressed->get_header_value("Content-Encoding"), "gzip");
  EXPECT_EQ(compressed->body, plain->body) << "the client unpacks what it gets: once, not twice";
  EXPECT_NE(compressed->get_header_value("ETag"), plain->get_header_value("ETag"));
  EXPECT_FALSE(http.Get("/app.css", {{"Accept-Encoding", "gzip;q=0"}})->has_header("Content-Encoding"));
}

TEST_F(StatusTest, DocumentsAreCompressedWithGzipAlone) {
  auto http = client();
  const auto offered = [&](const std::string& encodings) {
    return http.Get("/api/v1/profiles", {{"Accept-Encoding", encodings}})->get_header_value("Content-Encoding");
  };
  EXPECT_EQ(offered("gzip, deflate, br, zstd"), "gzip") << "as browsers ask; brotli would take 50 times as long";
  EXPECT_EQ(offered("br"), "");
  EXPECT_EQ(offered("identity"), "");
}

TEST_F(StatusTest, EveryPlaceOfThePageHasAnAddress) {
  auto http = client();
  const auto page = http.Get("/")->body;
  for (const char* place : {"/runs", "/findings?kind=torn", "/kernels", "/start?target=data"}) {
    EXPECT_EQ(http.Get(place)->body, page) << place;
  }
  // Nothing in it begins at the top of the server, which may be somebody else's.
  EXPECT_NE(page.find("src=\"./app.js\""), std::string::npos);
  EXPECT_EQ(page.find("=\"/"), std::string::npos);
  const auto below = std::regex_replace(page, std::regex("=\"\\./"), "=\"../");
  for (const char* place : {"/runs/7", "/findings/9", "/targets/data"}) {
    EXPECT_EQ(http.Get(place)->body, below) << place;
  }
  EXPECT_EQ(http.Get("/nowhere")->status, 404);
  EXPECT_EQ(http.Get("/runs/7/8")->status, 404);
}

}  // namespace
}  // namespace writecanary::api::test
