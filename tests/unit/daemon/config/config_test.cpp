#include "daemon/config/config.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>

#include "core/base/fd.h"
#include "daemon/config/config_toml.h"
#include "daemon/options.h"
#include "tests/unit/temporary_directory.h"

namespace writecanary::daemon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<std::string> issues_of(const std::string& text) {
  std::vector<std::string> lines;
  for (const auto& issue : parse_config(text).issues) lines.push_back(describe(issue, "c.toml"));
  return lines;
}

TEST(Config, NothingGivesTheDefaults) {
  const auto parsed = parse_config("");
  EXPECT_THAT(parsed.issues, IsEmpty());
  EXPECT_EQ(parsed.config.listen, "127.0.0.1:9743");
  EXPECT_EQ(parsed.config.storage_path, "/var/lib/writecanary/results.db");
  EXPECT_EQ(parsed.config.evidence_root(), "/var/lib/writecanary/evidence");
  EXPECT_EQ(parsed.config.defaults.every, std::chrono::minutes{15});
  EXPECT_EQ(parsed.config.concurrent_runs_max, 1);
}

TEST(Config, TargetsInheritDefaultsAndOverrideThem) {
  const auto parsed = parse_config(R"(
[[target]]
name = "data"
path = "/data"
every = "30m"
min_free = "10GiB"
require_mount = false
[target.options.append]
write_bytes = 262144

[[target]]
name = "logs"
path = "/logs"
fstype = "xfs"

[defaults]
memory = "128MiB"
max_evidence = "8MiB"
every = "5m"
profiles = ["append"]
max_memory_pressure = 10
)");
  ASSERT_THAT(parsed.issues, IsEmpty()) << parsed.issues.front().text;
  ASSERT_EQ(parsed.config.targets.size(), 2U);
  const auto& data = parsed.config.targets[0];
  EXPECT_EQ(data.settings.every, std::chrono::minutes{30});
  EXPECT_EQ(data.settings.memory_bytes, 128ULL << 20);
  EXPECT_EQ(data.settings.evidence_bytes_max, 8ULL << 20);
  EXPECT_EQ(data.settings.min_free.bytes, 10ULL << 30);
  EXPECT_EQ(data.settings.min_free.percent, 0);
  EXPECT_FALSE(data.require_mount);
  EXPECT_EQ(data.options.at("append").at("write_bytes"), 262144);
  EXPECT_EQ(parsed.config.targets[1].settings.every, std::chrono::minutes{5});
  EXPECT_EQ(parsed.config.targets[1].settings.memory_pressure_max, 10);
  EXPECT_TRUE(parsed.config.targets[1].require_mount);
}

TEST(Config, EveryMistakeIsNamedWithItsPlace) {
  EXPECT_THAT(issues_of("[server]\nlisten = 9743\nlsten = \"x\"\n"),
              ElementsAre("c.toml:2:10: listen: expected a text in quotes, got 9743",
                          "c.toml:3:1: unknown key \"lsten\". Known here: alert_hosts, alert_label, allowed_hosts, "
                          "anonymous_read, client_ca, "
                          "listen, public_url, reads_per_second, tls_cert, tls_key, trusted_proxies"));
  EXPECT_THAT(
      issues_of("[defaults]\nevery = \"often\"\n"),
      ElementsAre("c.toml:2:9: every: expected a duration such as \"15m\" (units ms, s, m, h, d), got \"often\""));
  EXPECT_THAT(issues_of("[defaults]\nmemory = \"64MB of it\"\njitter = 10\n"),
              ElementsAre("c.toml:2:10: memory: expected a size such as \"64MiB\", got \"64MB of it\"",
                          "c.toml:3:10: jitter: expected a percentage such as \"10%\", got 10"));
  EXPECT_THAT(issues_of("[defaults]\nprofiles = [\"append\", 3]\n"),
              ElementsAre("c.toml:2:23: profiles: expected an array of texts, got 3"));
  EXPECT_THAT(issues_of("[[target]]\nname = \"a\"\npath = \"/a\"\nrequire_mount = \"no\"\n"),
              ElementsAre("c.toml:4:17: require_mount: expected true or false, got \"no\""));
  EXPECT_THAT(issues_of("[defaults]\nwrites = -1\n"),
              ElementsAre("c.toml:2:10: writes: expected a whole number, 0 or more, got -1"));
  EXPECT_THAT(issues_of("target = \"data\"\n"),
              ElementsAre("c.toml:1:10: target: expected tables, written [[target]], got \"data\""));
  EXPECT_THAT(issues_of("[[target]]\nname = \"a\"\npath = \"/a\"\n[target.options.append]\nsize = \"big\"\n"),
              ElementsAre("c.toml:5:8: size: expected a whole number, got \"big\""));
}

TEST(Config, EventsAreAlwaysSignedAndGoToAWebAddress) {
  const auto of = [](const std::string& keys) { return issues_of("[webhook]\n" + keys); };
  EXPECT_THAT(of("url = \"https://example.org/events?a=b\"\nsecret_file = \"/etc/secret\"\n"), IsEmpty());
  EXPECT_THAT(of("url = \"https://example.org\"\n"),
              ElementsAre("c.toml:1:1: [webhook] needs both url and secret_file: events are always signed"));
  EXPECT_THAT(of("secret_file = \"/etc/secret\"\n"), SizeIs(1));
  EXPECT_THAT(of("url = \"https://example.org\"\nsecret_file = \"secret\"\n"),
              ElementsAre("c.toml:3:15: webhook.secret_file \"secret\" must be an absolute path"));
  for (const char* bad : {"example.org", "ftp://example.org", "https://", "http:///path", "http://a b", "http://u@h"}) {
    EXPECT_THAT(of(fmt::format("url = \"{}\"\nsecret_file = \"/etc/secret\"\n", bad)), SizeIs(1)) << bad;
  }
  const auto parsed = parse_config("[webhook]\nurl = \"http://h/x\"\nsecret_file = \"/s\"\n");
  EXPECT_EQ(parse_config(dump_config(parsed.config)).config.webhook.url, "http://h/x");
}

TEST(Config, BrokenTomlHasAPlaceToo) {
  const auto issues = parse_config("[defaults\nevery = 1").issues;
  ASSERT_EQ(issues.size(), 1U);
  EXPECT_EQ(issues[0].position.line, 1);
  EXPECT_GT(issues[0].position.column, 1);
  EXPECT_EQ(parse_config("[defaults]\nevery = \"1m\"\nevery = \"2m\"\n").issues.at(0).position.line, 3);
}

TEST(Config, ImpossibleValuesAreRefusedWithTheirLimits) {
  EXPECT_THAT(issues_of("[defaults]\nevery = \"5s\"\n"),
              ElementsAre(HasSubstr("c.toml:2:9: every 5 s is shorter than a run (10 s)")));
  EXPECT_THAT(issues_of("[defaults]\nmemory = \"1MiB\"\n"),
              ElementsAre("c.toml:2:10: memory 1 MiB is out of range: 16 MiB to 4 GiB"));
  EXPECT_THAT(issues_of("[defaults]\nmax_memory_pressure = 200\n"),
              ElementsAre(HasSubstr("max_memory_pressure 200 is out of range: 0 to 100")));
  EXPECT_THAT(issues_of("[defaults]\nprofiles = []\n"), ElementsAre(HasSubstr("profiles is empty")));
  EXPECT_THAT(issues_of("[defaults]\nprofiles = [\"append\", \"append\"]\n"), ElementsAre(HasSubstr("named twice")));
  EXPECT_THAT(issues_of("[server]\nlisten = \"9743\"\n"),
              ElementsAre("c.toml:2:10: server.listen \"9743\": expected HOST:PORT, [IPv6]:PORT or unix:/path"));
  EXPECT_THAT(issues_of("[storage]\npath = \"results.db\"\nmax_size = \"1MiB\"\nkeep_runs = \"1m\"\n"),
              ElementsAre(HasSubstr("c.toml:2:8: storage.path \"results.db\" must be the absolute path"),
                          HasSubstr("c.toml:3:12: storage.max_size"), HasSubstr("c.toml:4:13: storage.keep_runs")));
  EXPECT_THAT(issues_of("[defaults]\nwindow = \"20:00-06:00 Europe/Lundon\"\n"),
              ElementsAre(HasSubstr("c.toml:2:10: window \"20:00-06:00 Europe/Lundon\": no time zone")));
  EXPECT_THAT(
      issues_of("[[target]]\nname = \"a b\"\npath = \"a\"\n"),
      ElementsAre(HasSubstr("c.toml:2:8: target name \"a b\""), HasSubstr("c.toml:3:8: target \"a b\": path \"a\"")));
  EXPECT_THAT(issues_of("[[target]]\nname = \"a\"\npath = \"/a\"\n[[target]]\nname = \"a\"\npath = \"/b\"\n"),
              ElementsAre(HasSubstr("c.toml:5:8: target name \"a\" is used twice")));
}

TEST(Config, AMistakeInTheDefaultsIsReportedOnce) {
  EXPECT_THAT(issues_of("[defaults]\nmemory = \"1MiB\"\n[[target]]\nname = \"a\"\npath = \"/a\"\n"
                        "[[target]]\nname = \"b\"\npath = \"/b\"\n"),
              ElementsAre(HasSubstr("c.toml:2:10: memory")));
}

TEST(Config, DumpReadsBackEqual) {
  const auto first = parse_config(R"(
[server]
listen = "unix:/run/a \"b\".sock"
[storage]
max_size = "1536MiB"
keep_runs = "36h"
[defaults]
every = "90s"
jitter = "2.5%"
writes = 500
window = "Mon-Fri 20:00-06:00 Europe/London"
max_concurrent_runs = 3
max_bytes_per_day = 0
[[target]]
name = "data.1"
path = "/data"
min_free = "10GiB"
max_memory_pressure = 12.5
[target.options.append-interposed]
intruder_bytes = 4096
[[target]]
name = "logs"
path = "/logs"
)");
  ASSERT_THAT(first.issues, IsEmpty()) << first.issues.front().text;
  const auto dumped = dump_config(first.config);
  const auto second = parse_config(dumped);
  ASSERT_THAT(second.issues, IsEmpty()) << second.issues.front().text << "\n" << dumped;
  EXPECT_EQ(flatten(second.config), flatten(first.config));
  EXPECT_EQ(dump_config(second.config), dumped);
  EXPECT_THAT(dumped, HasSubstr("keep_runs = \"36h\""));
  EXPECT_THAT(dumped, HasSubstr("[target.options.\"append-interposed\"]\n\"intruder_bytes\" = 4096\n"));
  const auto defaults = parse_config(dump_config(Config{}));
  EXPECT_THAT(defaults.issues, IsEmpty());
  EXPECT_EQ(flatten(defaults.config), flatten(Config{}));
}

std::string shipped_config() {
  return read_file(std::filesystem::path(WRITECANARY_SOURCE_DIR) / "systemd/writecanary.toml");
}

// With every `#key = value` made a key.
std::string without_comment_marks(const std::string& text) {
  return std::regex_replace(text, std::regex("(^|\n)#(\\[\\[[a-z]+\\]\\]|[a-z_0-9]+ = )"), "$1$2");
}

TEST(Config, TheShippedFileWatchesWhatAFreshInstallationMayWriteTo) {
  const auto shipped = parse_config(shipped_config());
  ASSERT_THAT(shipped.issues, IsEmpty()) << shipped.issues.front().text;
  ASSERT_EQ(shipped.config.targets.size(), 1U);
  EXPECT_EQ(shipped.config.targets[0].path, shipped.config.state_directory() + "/canary");
  EXPECT_FALSE(shipped.config.targets[0].require_mount);
}

TEST(Config, TheShippedFileShowsTheDefaults) {
  const auto shipped = parse_config(without_comment_marks(shipped_config()));
  ASSERT_THAT(shipped.issues, IsEmpty()) << shipped.issues.front().text;
  ASSERT_EQ(shipped.config.targets.size(), 2U);
  auto without_target = shipped.config;
  without_target.targets.clear();
  without_target.tokens.clear();
  EXPECT_EQ(flatten(without_target), flatten(Config{}));
}

TEST(Config, DifferencesNameTheKeyAndBothValues) {
  const auto before = parse_config("[[target]]\nname = \"a\"\npath = \"/a\"\n").config;
  auto after = before;
  EXPECT_THAT(differences(before, after), IsEmpty());
  after.targets[0].settings.every = std::chrono::minutes{30};
  EXPECT_THAT(differences(before, after), ElementsAre("target.a.every: \"15m\" -> \"30m\""));
  after.targets[0].options["append"]["writers"] = 2;
  EXPECT_THAT(differences(before, after), testing::Contains("target.a.options.append.\"writers\": (unset) -> 2"));
  EXPECT_THAT(differences(after, before), testing::Contains("target.a.options.append.\"writers\": 2 -> (unset)"));
  after.targets.clear();
  EXPECT_THAT(differences(before, after), ElementsAre("target.a: removed (/a)"));
  EXPECT_THAT(differences(after, before), ElementsAre("target.a: added (/a)"));
}

TEST(Config, ProfilesAreThoseOfTheProbe) {
  Catalogue catalogue(2);
  catalogue[0].name = "append";
  catalogue[0].options = {{"write_bytes", "", "bytes", 4096, 1 << 20, 65536}};
  catalogue[1].name = "offset";
  const auto config = parse_config(
                          "[defaults]\nprofiles = [\"append\", \"apend\"]\n"
                          "[[target]]\nname = \"a\"\npath = \"/a\"\nprofiles = [\"append\"]\n"
                          "[target.options.append]\nwrite_bytes = 1\nwrites = 3\n")
                          .config;
  std::vector<std::string> lines;
  for (const auto& issue : check_profiles(config, catalogue)) lines.push_back(describe(issue, "c.toml"));
  EXPECT_THAT(lines, ElementsAre("c.toml:2:12: unknown profile \"apend\". Known: append, offset",
                                 "c.toml:8:15: append.write_bytes = 1 is out of range: 4096 to 1048576",
                                 "c.toml:9:10: profile \"append\" has no option \"writes\". It has: write_bytes"));
}

}  // namespace
}  // namespace writecanary::daemon
