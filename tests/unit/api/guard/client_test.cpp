// Who a request comes from, and for which name: other hosts, proxies, and those who only say that they are one.
#include "api/guard/client.h"

#include <unistd.h>

#include <array>

#include "tests/unit/api/api_fixture.h"

namespace writecanary::api::test {
namespace {

using httplib::Headers;

class ExposedTest : public ApiTest {
 protected:
  explicit ExposedTest(AccessRules rules = {}) : ApiTest("0.0.0.0:0", std::move(rules)) {}
  int status_of(const std::string& path, const Headers& headers = {}) {
    auto http = client();
    return http.Get(path, headers)->status;
  }
};

TEST_F(ExposedTest, OthersMayNotReadUnlessThatIsSaid) {
  EXPECT_EQ(get("/api/v1/status", 403)["type"], "/problems/not-for-others");
  EXPECT_EQ(get("/metrics", 403)["type"], "/problems/not-for-others");
  for (const char* path : {"/healthz", "/readyz", "/"}) EXPECT_EQ(status_of(path), 200) << path;
  server.set_access(std::make_shared<const Access>(AccessRules{.anonymous_read = true}));
  daemon.run_once("data", "append", Verdict::kCorrupt, {duplicate_finding()});
  EXPECT_EQ(status_of("/api/v1/status"), 200);
  EXPECT_EQ(status_of("/api/v1/findings/1"), 200);
  EXPECT_EQ(get("/api/v1/findings/1/report", 403)["type"], "/problems/read-only");
  EXPECT_EQ(post("/api/v1/targets/data/pause", json::object(), 403)["type"], "/problems/read-only");
  EXPECT_FALSE(daemon.last_command());
}

TEST_F(ExposedTest, AnswersForItsOwnNamesAlone) {
  std::array<char, 256> name{};
  ASSERT_EQ(::gethostname(name.data(), name.size() - 1), 0);
  for (const std::string& host : {std::string("localhost:1"), std::string("192.0.2.7"),
                                  std::string("[2001:db8::1]:9743"), std::string(name.data())}) {
    EXPECT_EQ(status_of("/healthz", {{"Host", host}}), 200) << host;
  }
  EXPECT_EQ(status_of("/healthz", {{"Host", "evil.example"}}), 421);
  EXPECT_EQ(status_of("/nope", {{"Host", "evil.example"}}), 421);
  server.set_access(std::make_shared<const Access>(AccessRules{.allowed_hosts = {"canary.example"}}));
  EXPECT_EQ(status_of("/healthz", {{"Host", "Canary.Example:9743"}}), 200);
  EXPECT_EQ(status_of("/healthz", {{"Host", "evil.example"}}), 421);
  server.set_access(std::make_shared<const Access>(AccessRules{.allowed_hosts = {"*"}}));
  EXPECT_EQ(status_of("/healthz", {{"Host", "evil.example"}}), 200);
}

TEST(NetworkTest, HoldsWhatBeginsLikeIt) {
  TrustedProxies proxies;
  for (const char* text : {"10.0.0.0/8", "192.0.2.7", "fd00::/9", "0.0.0.0/32"}) {
    proxies.networks.push_back(parse_network(text).value());
  }
  for (const std::string address : {"10.255.0.1", "192.0.2.7", "fd7f::1", "0.0.0.0", "::ffff:10.0.0.1"}) {
    EXPECT_TRUE(proxies.contains(address)) << address;
  }
  for (const std::string address : {"11.0.0.1", "192.0.2.8", "fd80::1", "::1", "", "unknown", "uid 0"}) {
    EXPECT_FALSE(proxies.contains(address)) << address;
  }
  for (const char* text : {"10.0.0.0/33", "fd00::/129", "10.0.0.0/", "10.0.0.0/x", "10/8", "localhost", "/8", ""}) {
    EXPECT_FALSE(parse_network(text)) << text;
  }
}

TEST(PublicUrlTest, HasOriginAndPath) {
  const auto url = parse_public_url("https://Canary.Example:8443/db-7/");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->origin, "https://canary.example:8443");
  EXPECT_EQ(url->host, "canary.example");
  EXPECT_EQ(url->path, "/db-7");
  EXPECT_EQ(parse_public_url("http://[::1]:80")->host, "::1");
  EXPECT_EQ(parse_public_url("http://h")->path, "");
  for (const char* text :
       {"canary.example", "ftp://h/", "https://", "https:///x", "https://u@h/", "https://h/?x", "https://h/#x"}) {
    EXPECT_FALSE(parse_public_url(text)) << text;
  }
}

// A daemon on 127.0.0.1 with a proxy in front of it.
class ProxiedTest : public ApiTest {
 protected:
  explicit ProxiedTest(AccessRules rules = {}) : ApiTest("127.0.0.1:0", std::move(rules)) {}
  httplib::Result pause(const Headers& headers) {
    auto http = client();
    return http.Post("/api/v1/targets/data/pause", headers, "{}", "application/json");
  }
  static AccessRules behind_proxy() {
    return {.tokens = {{"ops", Role::kOperator, sha256_of("change")}},
            .public_url = parse_public_url("https://canary.example/db-7"),
            .trusted_proxies = {{parse_network("127.0.0.1").value(), parse_network("10.0.0.0/8").value()}, false}};
  }
};

TEST_F(ProxiedTest, WhoComesThroughAProxyIsNotHere) {
  for (const char* name : {"X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "X-Forwarded-Host"}) {
    EXPECT_EQ(pause({{name, "192.0.2.7"}})->status, 403) << name;
  }
  EXPECT_FALSE(daemon.last_command());
  EXPECT_EQ(pause({})->status, 200);
  EXPECT_EQ(daemon.last_caller().address, "127.0.0.1");
  server.set_access(
      std::make_shared<const Access>(AccessRules{.trusted_proxies = {{parse_network("127.0.0.1").value()}, false}}));
  EXPECT_EQ(pause({})->status, 403) << "a proxy may say nothing of whom it speaks for";
}

TEST_F(ProxiedTest, WhatATrustedProxySaysIsBelieved) {
  server.set_access(std::make_shared<const Access>(behind_proxy()));
  const Headers proxied = {{"Authorization", "Bearer change"},
                           {"Host", "canary.example"},
                           {"X-Forwarded-Proto", "https"},
                           {"X-Forwarded-For", "203.0.113.9, 198.51.100.3, 10.1.2.3"}};
  auto with_origin = proxied;
  with_origin.emplace("Origin", "https://canary.example");
  EXPECT_EQ(pause(with_origin)->status, 200);
  EXPECT_EQ(daemon.last_caller().address, "198.51.100.3") << "what stands before it anybody can have written";
  auto foreign = proxied;
  foreign.emplace("Origin", "https://evil.example");
  EXPECT_EQ(pause(foreign)->status, 403);
  EXPECT_EQ(pause({{"Authorization", "Bearer change"}, {"X-Forwarded-Host", "evil.example"}})->status, 421);
  auto http = client();
  const auto started =
      http.Post("/api/v1/runs", proxied, R"({"target": "data", "profile": "append"})", "application/json");
  EXPECT_EQ(started->get_header_value("Location"), "/db-7/api/v1/runs/1");
}

TEST_F(ProxiedTest, AStrangerIsNoProxy) {
  auto rules = behind_proxy();
  rules.trusted_proxies.networks = {parse_network("10.0.0.0/8").value()};
  server.set_access(std::make_shared<const Access>(std::move(rules)));
  const Headers forged = {{"Authorization", "Bearer change"},
                          {"X-Forwarded-For", "192.0.2.7"},
                          {"X-Forwarded-Host", "evil.example"},
                          {"X-Forwarded-Proto", "https"}};
  EXPECT_EQ(pause(forged)->status, 200);
  EXPECT_EQ(daemon.last_caller().address, "127.0.0.1");
}

}  // namespace
}  // namespace writecanary::api::test
