// Who may do what, and that every refused change is recorded.
#include "api/guard/access.h"

#include <latch>
#include <thread>

#include "api/guard/rate_limit.h"
#include "api/refusal/limits.h"
#include "tests/unit/api/api_fixture.h"

namespace writecanary::api::test {
namespace {

using httplib::Headers;

TEST(Sha256Test, IsTheOneOfTheCommandLineTool) {
  // printf %s abc | sha256sum
  const auto known = parse_sha256("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  ASSERT_TRUE(known);
  EXPECT_EQ(sha256_of("abc"), *known);
  EXPECT_FALSE(parse_sha256("ba78"));
  EXPECT_FALSE(parse_sha256(std::string(63, 'a') + "g"));
  EXPECT_FALSE(parse_sha256(std::string(62, 'a') + "+1"));
}

TEST(RateLimitTest, GivesEachAddressItsBurstAndThenItsRate) {
  RateLimit limit(kChangesBurst, kChangesPerSecond);
  const SteadyTime begin{std::chrono::hours{1}};
  int allowed = 0;
  while (limit.allow("a", begin)) ++allowed;
  EXPECT_EQ(allowed, 60);
  EXPECT_TRUE(limit.allow("b", begin));
  EXPECT_FALSE(limit.allow("a", begin + std::chrono::milliseconds{100}));
  EXPECT_TRUE(limit.allow("a", begin + std::chrono::milliseconds{300}));
  EXPECT_FALSE(limit.allow("a", begin + std::chrono::milliseconds{300}));
}

TEST(RateLimitTest, CanBeSetAnewAndTakenAway) {
  RateLimit limit(1, 1);
  const SteadyTime begin{std::chrono::hours{1}};
  EXPECT_TRUE(limit.allow("a", begin));
  EXPECT_FALSE(limit.allow("a", begin));
  limit.set(2, 1);
  EXPECT_TRUE(limit.allow("a", begin));
  EXPECT_TRUE(limit.allow("a", begin));
  EXPECT_FALSE(limit.allow("a", begin));
  limit.set(0, 0);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(limit.allow("a", begin));
}

// So few that a test meets the limit.
class FewReadsTest : public ApiTest {
 protected:
  explicit FewReadsTest(AccessRules rules = {.reads_per_second = 1}) : ApiTest("127.0.0.1:0", std::move(rules)) {}
};

TEST_F(FewReadsTest, OneAddressCanAskForSoMuchAndAScraperAlways) {
  auto http = client();
  int allowed = 0;
  // A path that leads nowhere counts too.
  const auto read = [&] { return http.Get(allowed % 2 == 0 ? "/api/v1/status" : "/nowhere"); };
  auto answer = read();
  for (; answer->status != 429; answer = read()) ++allowed;
  EXPECT_EQ(allowed, 10) << "ten seconds' worth at once";
  EXPECT_EQ(answer->get_header_value("Retry-After"), "1");
  EXPECT_EQ(json::parse(answer->body)["type"], "/problems/too-many-requests");
  for (const char* path : {"/metrics", "/healthz", "/readyz"}) EXPECT_EQ(http.Get(path)->status, 200) << path;
  EXPECT_EQ(http.Post("/api/v1/targets/data/pause", "{}", "application/json")->status, 200) << "a change is no read";
  EXPECT_EQ(http.Get("/")->status, 429);

  server.set_access(std::make_shared<const Access>(AccessRules{.reads_per_second = 0}));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(http.Get("/api/v1/status")->status, 200);
  for (int i = 0; i < 2 * kVitalReadsBurst; ++i) EXPECT_EQ(http.Get("/healthz")->status, 200);
}

class FewReadsBehindAProxyTest : public FewReadsTest {
 protected:
  FewReadsBehindAProxyTest()
      : FewReadsTest({.anonymous_read = true,
                      .trusted_proxies = {{parse_network("127.0.0.1").value()}, false},
                      .reads_per_second = 1}) {}
  int status_for(const std::string& address) {
    auto http = client();
    return http.Get("/api/v1/status", Headers{{"X-Forwarded-For", address}})->status;
  }
};

TEST_F(FewReadsBehindAProxyTest, ItsClientsDoNotShareTheirReads) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(status_for("192.0.2.7"), 200);
  EXPECT_EQ(status_for("192.0.2.7"), 429);
  EXPECT_EQ(status_for("192.0.2.8"), 200);
}

AccessRules two_tokens() {
  return {.tokens = {{"grafana", Role::kViewer, sha256_of("look")}, {"ops", Role::kOperator, sha256_of("change")}},
          .reads_per_second = 0};
}

class TokenTest : public ApiTest {
 protected:
  TokenTest() : TokenTest("127.0.0.1:0") {}
  explicit TokenTest(const std::string& listen) : ApiTest(listen, two_tokens()) {}

  httplib::Result pause(const Headers& headers) {
    auto http = client();
    return http.Post("/api/v1/targets/data/pause", headers, "{}", "application/json");
  }
  static Headers bearer(const std::string& token) { return {{"Authorization", "Bearer " + token}}; }
};

TEST_F(TokenTest, ReadingNeedsATokenButForHealthAndThePage) {
  auto http = client();
  for (const char* path : {"/api/v1/status", "/metrics", "/api/v1/events", "/api/v1/audit"}) {
    const auto answer = http.Get(path);
    EXPECT_EQ(answer->status, 401) << path;
    EXPECT_EQ(answer->get_header_value("WWW-Authenticate"), "Bearer realm=\"writecanary\"");
    EXPECT_EQ(json::parse(answer->body)["type"], "/problems/token-needed");
  }
  for (const char* path : {"/healthz", "/readyz", "/", "/api/v1/openapi.json"}) {
    EXPECT_EQ(http.Get(path)->status, 200) << path;
  }
  EXPECT_EQ(http.Get("/api/v1/status", bearer("look"))->status, 200);
  EXPECT_EQ(http.Get("/metrics", {{"Authorization", "bearer change"}})->status, 200);
  for (const char* wrong : {"Bearer lookk", "Bearer ", "Basic bG9vaw==", "look"}) {
    EXPECT_EQ(http.Get("/metrics", Headers{{"Authorization", wrong}})->status, 401) << wrong;
  }
}

TEST_F(TokenTest, TheAuditIsForOperators) {
  auto http = client();
  EXPECT_EQ(http.Get("/api/v1/audit", bearer("look"))->status, 403);
  const auto answer = http.Get("/api/v1/audit", bearer("change"));
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(json::parse(answer->body), json({{"items", json::array()}, {"next_cursor", nullptr}}));
}

// One refusal of each kind, and the row that tells of it.
TEST_F(TokenTest, EveryRefusedChangeIsRecorded) {
  const struct {
    Headers headers;
    int status;
    std::string problem;
    std::string who;
  } cases[] = {
      {{}, 401, "token-needed", "127.0.0.1"},
      {bearer("guess"), 401, "unknown-token", "127.0.0.1"},
      {bearer("look"), 403, "role-too-low", "grafana"},
      {{{"Authorization", "Bearer change"}, {"Host", "evil.example"}}, 421, "misdirected", "127.0.0.1"},
      {{{"Authorization", "Bearer change"}, {"Origin", "https://evil.example"}}, 403, "foreign-origin", "ops"},
  };
  for (const auto& each : cases) {
    const auto before = daemon.refused().size();
    const auto answer = pause(each.headers);
    EXPECT_EQ(answer->status, each.status) << each.problem;
    ASSERT_EQ(daemon.refused().size(), before + 1) << each.problem;
    const auto [caller, change] = daemon.refused().back();
    EXPECT_EQ(change.status, each.status);
    EXPECT_EQ(change.reason.substr(0, each.problem.size() + 1), each.problem + ":");
    EXPECT_EQ(caller.who, each.who);
    EXPECT_EQ(caller.address, "127.0.0.1");
    EXPECT_EQ(caller.path, "/api/v1/targets/data/pause");
    EXPECT_EQ(caller.request_id, answer->get_header_value("X-Request-Id"));
  }
  EXPECT_FALSE(daemon.last_command());
  EXPECT_EQ(pause(bearer("change"))->status, 200);
  EXPECT_EQ(daemon.last_caller().who, "ops");
}

TEST_F(TokenTest, ARequestThatMakesNoSenseIsRecordedToo) {
  auto http = client();
  const auto outside =
      http.Post("/api/v1/runs", bearer("change"), R"({"target": "../etc", "profile": "append"})", "application/json");
  EXPECT_EQ(outside->status, 422);
  ASSERT_EQ(daemon.refused().size(), 1U);
  EXPECT_EQ(daemon.refused()[0].second.status, 422);
  EXPECT_EQ(daemon.refused()[0].first.who, "ops");
}

TEST_F(TokenTest, AFloodIsStoppedAndCounted) {
  auto http = client();
  http.set_keep_alive(true);
  http.set_tcp_nodelay(true);  // head and body go out one by one: else the body waits for an acknowledgement
  int stopped = 0;
  for (int i = 0; i < 180; ++i) {
    const auto answer = http.Post("/api/v1/targets/data/pause", bearer("guess"), "{}", "application/json");
    ASSERT_TRUE(answer);
    if (answer->status == 429) {
      ++stopped;
      EXPECT_EQ(answer->get_header_value("Retry-After"), "1");
    }
  }
  EXPECT_EQ(stopped, 120) << "the clock stands: nothing is refilled";
  EXPECT_EQ(daemon.refused().size(), 100U);
  clock.now_ms += 1'000;
  EXPECT_EQ(pause(bearer("guess"))->status, 401);
  EXPECT_NE(daemon.refused().back().second.reason.find("(80 refused changes before this one were not recorded)"),
            std::string::npos);
}

TEST_F(TokenTest, AReloadChangesWhoMayEnter) {
  EXPECT_EQ(pause(bearer("change"))->status, 200);
  server.set_access(std::make_shared<const Access>(AccessRules{{{"new", Role::kOperator, sha256_of("fresh")}}, {}}));
  EXPECT_EQ(pause(bearer("change"))->status, 401);
  EXPECT_EQ(pause(bearer("fresh"))->status, 200);
}

class OpenTokenTest : public TokenTest {
 protected:
  OpenTokenTest() : TokenTest("0.0.0.0:0") {}
};

TEST_F(OpenTokenTest, WithATokenAListenerForAllTakesChanges) {
  EXPECT_EQ(pause({})->status, 401);
  EXPECT_EQ(pause(bearer("look"))->status, 403);
  EXPECT_EQ(pause(bearer("change"))->status, 200);
}

class UnixTokenTest : public TokenTest {
 protected:
  UnixTokenTest() : TokenTest("unix:" + socket_path()) {}
  static std::string socket_path() {
    static const TemporaryDirectory kDirectory;
    return kDirectory.path() + "/api.sock";
  }
};

TEST_F(UnixTokenTest, RootAndTheDaemonsOwnUserNeedNoToken) {
  httplib::Client http(socket_path());
  http.set_address_family(AF_UNIX);
  EXPECT_EQ(http.Post("/api/v1/targets/data/pause", "{}", "application/json")->status, 200);
  EXPECT_EQ(daemon.last_caller().who, "uid " + std::to_string(::getuid()));
  EXPECT_EQ(http.Get("/api/v1/status", bearer("wrong"))->status, 401);
}

// Of a token that is taken away nothing goes on, not even what was begun.
TEST_F(TokenTest, AStreamEndsWithItsToken) {
  std::latch open(2);
  const auto follow = [&](const std::string& token, std::string& seen) {
    return std::thread([this, token, &seen, &open] {
      auto http = client();
      http.Get("/api/v1/events", bearer(token), [&](const char* data, std::size_t size) {
        if (seen.empty()) open.count_down();
        seen.append(data, size);
        return seen.find("\"logs\"") == std::string::npos;
      });
    });
  };
  std::string taken;
  std::string kept;
  auto first = follow("look", taken);
  auto second = follow("change", kept);
  open.wait();
  server.set_access(std::make_shared<const Access>(AccessRules{{{"ops", Role::kOperator, sha256_of("change")}}}));
  first.join();  // by itself
  daemon.run_once("logs", "append", Verdict::kClean);
  second.join();
  EXPECT_EQ(taken, "retry: 2000\n\n");
  EXPECT_NE(kept.find("\"logs\""), std::string::npos);
}

TEST_F(TokenTest, EvidenceAndReportsAreForOperators) {
  daemon.run_once("data", "append", Verdict::kCorrupt, {duplicate_finding()});
  auto http = client();
  for (const char* path : {"/api/v1/findings/1/report", "/api/v1/findings/1/evidence"}) {
    EXPECT_EQ(http.Get(path, bearer("look"))->status, 403) << path;
    EXPECT_EQ(http.Get(path, bearer("change"))->status, 200) << path;
  }
  EXPECT_EQ(http.Get("/api/v1/findings/1", bearer("look"))->status, 200);
}

TEST_F(TokenTest, TheAuditHasTheBeginningOfALongPath) {
  auto http = client();
  const std::string path = "/api/v1/targets/" + std::string(7'000, 'a') + "/pause";
  EXPECT_EQ(http.Post(path, bearer("guess"), "{}", "application/json")->status, 401);
  EXPECT_EQ(daemon.refused().back().first.path, path.substr(0, 200) + "...");
}

}  // namespace
}  // namespace writecanary::api::test
