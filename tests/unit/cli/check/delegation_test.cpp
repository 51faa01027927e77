#include "cli/check/delegation.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace writecanary::cli {
namespace {

const std::vector<std::string> kTyped = {"writecanary", "check", "/home/a b", "--writes", "50"};

TEST(Delegation, AUserManagerIsAskedAsItIs) {
  const Caller caller{.uid = 1000, .systemd = true, .runtime_directory = "/run/user/1000", .knows_the_manager = true};
  EXPECT_EQ(delegation_advice(kTyped, caller),
            "Your service manager lends you a cgroup. Type:\n\n"
            "  systemd-run --user --scope -p Delegate=memory writecanary check '/home/a b' --writes 50\n\n");
}

TEST(Delegation, AManagerThatTheEnvironmentDoesNotNameIsNamed) {
  const Caller caller{.uid = 1000, .systemd = true, .runtime_directory = "/run/user/1000"};
  EXPECT_NE(
      delegation_advice(kTyped, caller)
          .find("\n  XDG_RUNTIME_DIR=/run/user/1000 systemd-run --user --scope -p Delegate=memory writecanary check"),
      std::string::npos);
}

TEST(Delegation, WithoutAManagerRootHelps) {
  const Caller caller{.uid = 1000, .systemd = true, .runtime_directory = {}};
  EXPECT_NE(delegation_advice({"./writecanary", "check", "."}, caller)
                .find("\n  sudo systemd-run --pipe --wait --collect --same-dir --uid=1000 -p Delegate=memory " +
                      (std::filesystem::current_path() / "writecanary").string() + " check .\n"),
            std::string::npos);
}

TEST(Delegation, NothingForRootAndWithoutSystemd) {
  EXPECT_EQ(delegation_advice(kTyped, {.uid = 0, .systemd = true, .runtime_directory = {}}), "");
  EXPECT_EQ(delegation_advice(kTyped, {.uid = 1000, .systemd = false, .runtime_directory = {}}), "");
}

}  // namespace
}  // namespace writecanary::cli
