#include "cli/check/delegation.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "core/text/shell.h"

namespace writecanary::cli {
namespace {

constexpr char kDelegate[] = "-p Delegate=memory";

std::string typed(const std::vector<std::string>& command_line) {
  if (command_line.empty()) return "writecanary";
  std::string text;
  for (const std::string& word : command_line) text += (text.empty() ? "" : " ") + shell_word(word);
  return text;
}

// systemd-run looks for it itself when it is a scope; a service is started elsewhere.
std::vector<std::string> with_absolute_program(std::vector<std::string> command_line) {
  if (!command_line.empty() && command_line[0].find('/') != std::string::npos) {
    command_line[0] = std::filesystem::absolute(command_line[0]).lexically_normal();
  }
  return command_line;
}

}  // namespace

Caller find_caller() {
  Caller caller;
  caller.uid = geteuid();
  caller.systemd = access("/run/systemd/system", F_OK) == 0;
  const char* named = std::getenv("XDG_RUNTIME_DIR");
  const auto has_manager = [](const std::string& directory) {
    return access((directory + "/systemd/private").c_str(), W_OK) == 0;
  };
  if (named != nullptr && has_manager(named)) {
    caller.runtime_directory = named;
    caller.knows_the_manager = true;
  } else if (const std::string usual = fmt::format("/run/user/{}", caller.uid); has_manager(usual)) {
    caller.runtime_directory = usual;
  }
  return caller;
}

std::string delegation_advice(const std::vector<std::string>& command_line, const Caller& caller) {
  if (caller.uid == 0 || !caller.systemd) return "";
  if (!caller.runtime_directory.empty()) {
    const std::string where =
        caller.knows_the_manager ? "" : fmt::format("XDG_RUNTIME_DIR={} ", shell_word(caller.runtime_directory));
    return fmt::format("Your service manager lends you a cgroup. Type:\n\n  {}systemd-run --user --scope {} {}\n\n",
                       where, kDelegate, typed(command_line));
  }
  return fmt::format(
      "No service manager of yours runs that could lend you a cgroup. Log in on your own account, or, with "
      "root's help, type:\n\n  sudo systemd-run --pipe --wait --collect --same-dir --uid={} {} {}\n\n",
      caller.uid, kDelegate, typed(with_absolute_program(command_line)));
}

}  // namespace writecanary::cli
