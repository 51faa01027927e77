// The self-test at the start: asked once for each build, and again while it is not good.
#include "daemon/upkeep/self_check.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "core/base/version.h"
#include "tests/unit/temporary_directory.h"

namespace writecanary::daemon {
namespace {

class SelfCheckTest : public testing::Test {
 protected:
  // A probe that answers with this and notes that it was asked.
  std::string probe(const nlohmann::json& answer) {
    const std::string asked = directory_.path() + "/asked";
    auto file =
        directory_.write("probe", "#!/bin/sh\necho >>'" + asked + "'\ncat <<'END'\n" + answer.dump() + "\nEND\n");
    ::chmod(file.c_str(), 0755);
    return file;
  }
  std::uintmax_t times_asked() const {
    std::error_code never;
    const auto size = std::filesystem::file_size(directory_.path() + "/asked", never);
    return never ? 0 : size;
  }
  static SelfTest answer(bool good) {
    SelfTest test{.version = kVersion, .revision = kRevision, .at_ms = 0, .error = {}, .detectors = {}};
    test.detectors = {{FindingKind::kTorn, good, good, true, good ? "" : "found nothing"}};
    return test;
  }
  SelfTest check(const SelfTest& answer, std::int64_t now_ms) {
    return check_self(*store_, probe(answer), from_unix_ms(now_ms));
  }

  TemporaryDirectory directory_;
  std::unique_ptr<storage::Store> store_ = storage::Store::open(directory_.path() + "/results.db");
};

TEST_F(SelfCheckTest, AGoodOneIsRememberedForTheBuild) {
  EXPECT_TRUE(check(answer(true), 1'000).ok());
  const SelfTest again = check(answer(true), 2'000);
  EXPECT_TRUE(again.ok());
  EXPECT_EQ(again.at_ms, 1'000);
  EXPECT_EQ(times_asked(), 1U);
}

TEST_F(SelfCheckTest, AFailedOneIsAskedAgainAtTheNextStart) {
  EXPECT_FALSE(check(answer(false), 1'000).ok());
  EXPECT_TRUE(check(answer(true), 2'000).ok());
  EXPECT_EQ(times_asked(), 2U);
}

TEST_F(SelfCheckTest, AnotherBuildIsAskedAnew) {
  SelfTest other = answer(true);
  other.revision = "another";
  store_->remember_fact("self_test", nlohmann::json(other).dump());
  EXPECT_EQ(check(answer(true), 5'000).at_ms, 5'000);
  store_->remember_fact("self_test", "[1]");
  EXPECT_EQ(check(answer(true), 6'000).at_ms, 6'000) << "what cannot be read is not remembered";
  EXPECT_EQ(times_asked(), 2U);
}

TEST_F(SelfCheckTest, AProbeThatIsNotThereHasFailed) {
  const SelfTest test = check_self(*store_, directory_.path() + "/nowhere", from_unix_ms(1'000));
  EXPECT_FALSE(test.ok());
  EXPECT_FALSE(test.error.empty());
}

}  // namespace
}  // namespace writecanary::daemon
