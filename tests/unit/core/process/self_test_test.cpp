// The result of a self-test: when it counts as good, and its way through JSON and out of a program.
#include "core/process/self_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/version.h"
#include "core/run/protocol.h"
#include "tests/unit/temporary_directory.h"

namespace writecanary {
namespace {

using testing::HasSubstr;

SelfTest good() {
  SelfTest test{.version = kVersion, .revision = kRevision, .at_ms = 1'780'000'000'000, .error = {}, .detectors = {}};
  test.detectors = {{FindingKind::kTorn, true, true, true, ""}, {FindingKind::kStale, true, true, true, ""}};
  return test;
}

TEST(SelfTestTest, IsGoodOnlyWhenEveryDetectorIs) {
  EXPECT_TRUE(good().ok());
  for (bool DetectorTest::*part : {&DetectorTest::detected, &DetectorTest::exact, &DetectorTest::silent_on_clean}) {
    SelfTest test = good();
    test.detectors[1].*part = false;
    EXPECT_FALSE(test.ok());
  }
  SelfTest unable = good();
  unable.error = "no memory file";
  EXPECT_FALSE(unable.ok());
  EXPECT_FALSE(SelfTest{}.ok()) << "nothing tested is not good";
}

TEST(SelfTestTest, GoesThroughJson) {
  SelfTest test = good();
  test.detectors[0].detected = false;
  test.detectors[0].detail = "found nothing";
  const nlohmann::json document = test;
  EXPECT_EQ(document["ok"], false);
  EXPECT_EQ(document["at"], "2026-05-28T20:26:40.000Z");
  EXPECT_EQ(document["detectors"][1], (nlohmann::json{{"kind", "stale"},
                                                      {"ok", true},
                                                      {"detected", true},
                                                      {"exact", true},
                                                      {"silent_on_clean", true},
                                                      {"detail", ""}}));
  EXPECT_EQ(nlohmann::json(document.get<SelfTest>()), document);
  nlohmann::json broken = document;
  broken.erase("detectors");
  EXPECT_THROW(broken.get<SelfTest>(), ProtocolError);
}

class RunSelfTest : public testing::Test {
 protected:
  std::string program(const std::string& script) {
    std::string path = directory_ / "probe";
    std::ofstream(path) << "#!/bin/sh\n" << script << '\n';
    chmod(path.c_str(), 0700);
    return path;
  }
  TemporaryDirectory directory_;
};

TEST_F(RunSelfTest, ReadsWhatTheProgramSays) {
  const std::string answer = nlohmann::json(good()).dump();
  const SelfTest test = run_self_test(program("[ \"$1\" = --self-test ] && echo '" + answer + "'"), 1000);
  EXPECT_TRUE(test.ok()) << test.error;
  EXPECT_EQ(test.at_ms, 1000);
}

TEST_F(RunSelfTest, AProgramThatDoesNotAnswerHasFailed) {
  const SelfTest test = run_self_test(program("echo no memory >&2; exit 1"), 1000);
  EXPECT_FALSE(test.ok());
  EXPECT_THAT(test.error, HasSubstr("exit code 1: no memory"));
  EXPECT_EQ(test.version, kVersion);
  EXPECT_FALSE(run_self_test(program("echo '{}'"), 1000).ok());
  EXPECT_FALSE(run_self_test(directory_ / "nowhere", 1000).ok());
}

}  // namespace
}  // namespace writecanary
