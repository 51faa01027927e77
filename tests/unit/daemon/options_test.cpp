#include "daemon/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/fd.h"
#include "daemon/config/config.h"
#include "daemon/config/config_toml.h"
#include "tests/unit/temporary_directory.h"

namespace writecanary::daemon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

LoadedConfig load(const std::vector<const char*>& arguments) {
  std::vector<const char*> argv = {"writecanaryd"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const auto parsed = parse_options(static_cast<int>(argv.size()), argv.data());
  EXPECT_TRUE(parsed.options);
  return load_config(*parsed.options);
}

TEST(Options, CommandLineGoesOverTheFile) {
  const TemporaryDirectory directory;
  const auto file = directory.write("c.toml", "[defaults]\nevery = \"1h\"\n[[target]]\nname = \"a\"\npath = \"/\"\n");
  const auto loaded =
      load({"--config", file.c_str(), "--target", "b=/proc", "--state-dir", "/dev/shm/wc", "--listen", "127.0.0.1:0"});
  EXPECT_EQ(loaded.path, file);
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_EQ(loaded.config.storage_path, "/dev/shm/wc/results.db");
  EXPECT_EQ(loaded.config.listen, "127.0.0.1:0");
  ASSERT_EQ(loaded.config.targets.size(), 2U);
  EXPECT_EQ(loaded.config.targets[1].name, "b");
  EXPECT_EQ(loaded.config.targets[1].settings.every, std::chrono::hours{1});
  EXPECT_TRUE(loaded.config.targets[1].require_mount);
  const auto anywhere =
      load({"--config", file.c_str(), "--target", "b=/proc", "--no-require-mount", "--state-dir", "/dev/shm/wc"});
  EXPECT_FALSE(anywhere.config.targets.at(1).require_mount);
  EXPECT_TRUE(anywhere.config.targets.at(0).require_mount);
}

TEST(Options, MistakesEndWithExitCodeOne) {
  const std::vector<std::vector<const char*>> wrong = {{"writecanaryd", "--target", "nopath"},
                                                       {"writecanaryd", "--bogus"},
                                                       {"writecanaryd", "--once", "--check-config"}};
  for (const auto& argv : wrong) {
    const auto parsed = parse_options(static_cast<int>(argv.size()), argv.data());
    EXPECT_FALSE(parsed.options);
    EXPECT_EQ(parsed.exit_code, 1);
  }
  const auto missing = load({"--config", "/nowhere/c.toml"});
  ASSERT_EQ(missing.errors.size(), 1U);
  EXPECT_THAT(missing.errors[0], HasSubstr("/nowhere/c.toml"));
  EXPECT_THAT(missing.errors[0], HasSubstr("--config"));
}

}  // namespace
}  // namespace writecanary::daemon
