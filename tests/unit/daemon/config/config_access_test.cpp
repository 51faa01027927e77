// The part of the configuration that says who may do what, and what it says to others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/config/config_toml.h"
#include "daemon/options.h"

namespace writecanary::daemon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> issues_of(const std::string& text) {
  std::vector<std::string> lines;
  for (const auto& issue : parse_config(text).issues) lines.push_back(describe(issue, "c.toml"));
  return lines;
}

TEST(ConfigAccess, TokensAreNamedHashedAndHaveARole) {
  const std::string good(64, 'a');
  const auto token = [](const std::string& name, const std::string& role, const std::string& sha256) {
    return "[[token]]\nname = \"" + name + "\"\nrole = \"" + role + "\"\nsha256 = \"" + sha256 + "\"\n";
  };
  EXPECT_THAT(issues_of(token("grafana", "viewer", good) + token("ops", "operator", good)), IsEmpty());
  EXPECT_THAT(issues_of(token("grafana", "admin", good)),
              ElementsAre("c.toml:3:8: token \"grafana\": role \"admin\" is neither \"viewer\" nor \"operator\""));
  EXPECT_THAT(issues_of(token("grafana", "viewer", good.substr(1))),
              ElementsAre(HasSubstr("c.toml:4:10: token \"grafana\": sha256 must be 64 hexadecimal digits")));
  EXPECT_THAT(issues_of(token("a b", "viewer", good)), ElementsAre(HasSubstr("c.toml:2:8: token name \"a b\"")));
  EXPECT_THAT(issues_of(token("x", "viewer", good) + token("x", "viewer", good)),
              ElementsAre(HasSubstr("c.toml:6:8: token name \"x\" is used twice")));
}

TEST(ConfigAccess, TlsFilesBelongTogether) {
  EXPECT_THAT(issues_of("[server]\ntls_cert = \"/c.pem\"\ntls_key = \"/k.pem\"\nclient_ca = \"/ca.pem\"\n"), IsEmpty());
  EXPECT_THAT(issues_of("[server]\ntls_cert = \"/c.pem\"\n"),
              ElementsAre(HasSubstr("c.toml:2:12: server.tls_cert and")));
  EXPECT_THAT(issues_of("[server]\ntls_cert = \"c.pem\"\ntls_key = \"/k.pem\"\n"),
              ElementsAre("c.toml:2:12: server.tls_cert \"c.pem\" must be absolute"));
  EXPECT_THAT(issues_of("[server]\nclient_ca = \"/ca.pem\"\n"), ElementsAre(HasSubstr("server.client_ca needs TLS")));
  EXPECT_THAT(issues_of("[server]\nlisten = \"unix:/x\"\ntls_cert = \"/c.pem\"\ntls_key = \"/k.pem\"\n"),
              ElementsAre(HasSubstr("a unix socket is not encrypted")));
}

TEST(ConfigAccess, NamesAndProxiesAreCheckedAndTakenOver) {
  const std::string good =
      "[server]\nanonymous_read = true\nallowed_hosts = [\"db-7.example\", \"::1\"]\npublic_url = "
      "\"https://canary.example/db-7/\"\ntrusted_proxies = [\"unix\", \"10.0.0.0/8\"]\n";
  EXPECT_THAT(issues_of(good), IsEmpty());
  const api::Access access(access_rules(parse_config(good).config));
  EXPECT_TRUE(access.anonymous_read());
  EXPECT_TRUE(access.allows_host("db-7.example"));
  EXPECT_TRUE(access.allows_host("canary.example"));
  EXPECT_FALSE(access.allows_host("db-8.example"));
  EXPECT_TRUE(access.trusted_proxies().at_unix_socket);
  EXPECT_TRUE(access.trusted_proxies().contains("10.1.2.3"));
  for (const char* host : {"db-7:9743", "DB-7", "", "a b", "http://x"}) {
    EXPECT_THAT(issues_of(std::string("[server]\nallowed_hosts = [\"") + host + "\"]\n"),
                ElementsAre(HasSubstr("c.toml:2:17: server.allowed_hosts: \"")))
        << host;
  }
  EXPECT_THAT(issues_of("[server]\npublic_url = \"canary.example\"\n"),
              ElementsAre(HasSubstr("c.toml:2:14: server.public_url")));
  EXPECT_THAT(issues_of("[server]\ntrusted_proxies = [\"nginx\"]\n"),
              ElementsAre(HasSubstr("server.trusted_proxies: \"nginx\" is no address")));
}

// The path of a webhook is often its secret.
TEST(ConfigAccess, OfAnAddressIsShownWhereItLeads) {
  EXPECT_EQ(shown_address("https://hooks.example/T0/secret?x#y"), "https://hooks.example/...");
  EXPECT_EQ(shown_address("http://user:secret@hooks.example:8080"), "http://hooks.example:8080/...");
  EXPECT_EQ(shown_address("http://hooks.example?token=secret"), "http://hooks.example/...");
  EXPECT_EQ(shown_address("https://hooks.example:1"), "https://hooks.example:1");
  EXPECT_EQ(shown_address("https://hooks.example/"), "https://hooks.example/");
  EXPECT_EQ(shown_address("no address"), "...");
}

TEST(ConfigAccess, AChangedWebhookIsToldWithoutItsSecret) {
  Config before;
  Config after;
  after.webhook.url = "https://ops:pw@hooks.example:1/T0/secret";
  EXPECT_THAT(differences(before, after), testing::Contains("webhook.url: (unset) -> \"https://hooks.example:1/...\""));
  before.webhook.url = after.webhook.url + "2";
  EXPECT_THAT(differences(before, after),
              ElementsAre("webhook.url: \"https://hooks.example:1/...\" -> \"https://hooks.example:1/...\""));
}

}  // namespace
}  // namespace writecanary::daemon
