#include "core/host/own_libraries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/temporary_directory.h"

namespace writecanary {
namespace {

using testing::ElementsAre;
using testing::Pair;

class SettingsForHost : public testing::Test {
 protected:
  void file(const std::string& path) { host_.write(path.substr(1), "something\n"); }

  TemporaryDirectory host_;
};

TEST_F(SettingsForHost, AnEmptyHostGetsTheTimeZonesThatWereBrought) {
  EXPECT_THAT(settings_for_host("/opt/writecanary", host_.path()),
              ElementsAre(Pair("TZDIR", "/opt/writecanary/share/zoneinfo")));
}

TEST_F(SettingsForHost, TheHostsOwnTimeZonesAreNewer) {
  file("/usr/share/zoneinfo/UTC");
  EXPECT_THAT(settings_for_host("/opt/writecanary", host_.path()), ElementsAre());
}

TEST_F(SettingsForHost, AuthoritiesAreWhereTheDistributionHasThem) {
  file("/usr/share/zoneinfo/UTC");
  for (const std::string path : {"/etc/ssl/cert.pem", "/etc/ssl/ca-bundle.pem", "/etc/pki/tls/certs/ca-bundle.crt",
                                 "/etc/ssl/certs/ca-certificates.crt"}) {
    file(path);  // each goes before those above
    EXPECT_THAT(settings_for_host("/opt/writecanary", host_.path()),
                ElementsAre(Pair("SSL_CERT_FILE", host_.path() + path)));
  }
}

TEST(OwnPrefix, IsNoneForAProgramOfTheHostsLoader) { EXPECT_EQ(own_prefix(), ""); }

}  // namespace
}  // namespace writecanary
