// The part of the configuration that says who may do what.
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

}  // namespace
}  // namespace writecanary::daemon
