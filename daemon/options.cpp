#include "daemon/options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/version.h"
#include "daemon/config/config_toml.h"

namespace writecanary::daemon {
namespace {

// Without looking at the path itself: it may lie on a filesystem that hangs.
std::string absolute(const std::string& path) { return std::filesystem::absolute(path).lexically_normal().string(); }

// NAME=PATH; nothing when it is not that.
std::optional<TargetConfig> parse_target(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) return std::nullopt;
  TargetConfig target;
  target.name = text.substr(0, equals);
  target.path = absolute(text.substr(equals + 1));
  return target;
}

// Reads the file, if there is one. False when it cannot be used.
bool read_config(const Options& options, LoadedConfig& loaded) {
  loaded.path = options.config_file;
  if (loaded.path.empty() && ::access(kDefaultConfigFile, F_OK) == 0) loaded.path = kDefaultConfigFile;
  if (loaded.path.empty()) return true;
  std::string text;
  try {
    text = read_file(loaded.path);
  } catch (const SystemError& error) {
    loaded.errors.push_back(fmt::format("{}: {}. Give a readable file with --config", loaded.path, error.what()));
    return false;
  }
  auto parsed = parse_config(text);
  loaded.config = std::move(parsed.config);
  for (const auto& issue : parsed.issues) loaded.errors.push_back(describe(issue, loaded.path));
  return loaded.errors.empty();
}

void put_over(const Options& options, Config& config) {
  if (!options.listen.empty()) config.listen = options.listen;
  if (!options.state_directory.empty()) config.storage_path = absolute(options.state_directory + "/results.db");
  for (auto target : options.targets) {
    target.settings = config.defaults;
    config.targets.push_back(std::move(target));
  }
}

}  // namespace

ParsedOptions parse_options(int argc, const char* const* argv) {
  Options options;
  std::vector<std::string> targets;
  bool any_directory = false;
  CLI::App app{
      "Watches filesystems for silently wrong writes: runs the canary on schedule, keeps the results, serves "
      "API, metrics and page."};
  app.name("writecanaryd");
  app.set_version_flag("--version", fmt::format("writecanaryd {} ({})", kVersion, kRevision));
  app.add_option("--config", options.config_file,
                 fmt::format("Configuration (default: {}, if it is there)", kDefaultConfigFile));
  app.add_option("--target", targets, "Also watch the filesystem mounted at PATH")
      ->type_name("NAME=PATH")
      ->allow_extra_args(false);
  app.add_flag("--no-require-mount", any_directory, "PATH of --target may be any directory, not only a mount point");
  app.add_option("--state-dir", options.state_directory, "Where database and evidence are kept")->type_name("DIR");
  app.add_option("--listen", options.listen, "HOST:PORT or unix:PATH")->type_name("ADDR");
  app.add_option("--log-level", options.log_level, "How much to log on stderr")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  auto* check = app.add_flag("--check-config", options.check_config, "Check the configuration and end");
  auto* dump = app.add_flag("--dump-config", options.dump_config, "Print the effective configuration and end");
  app.add_option("--config-reference", options.config_reference,
                 "Print what every key of a configuration means and end")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"markdown", "mdoc"}));
  app.add_option("--backup", options.backup_file,
                 "Copy the database to FILE, whole and of one moment, while a daemon may go on using it, and end")
      ->type_name("FILE")
      ->excludes(check)
      ->excludes(dump);
  app.add_flag("--once", options.once, "Run every profile of every target once, print the verdicts and end")
      ->excludes(check)
      ->excludes(dump);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return {std::nullopt, app.exit(error) == 0 ? 0 : 1};
  }
  for (const auto& text : targets) {
    auto target = parse_target(text);
    if (!target) {
      fmt::print(stderr, "writecanaryd: --target {}: expected NAME=PATH\n", text);
      return {std::nullopt, 1};
    }
    target->require_mount = !any_directory;
    options.targets.push_back(std::move(*target));
  }
  return {std::move(options), 0};
}

LoadedConfig load_config(const Options& options, const std::string& mountinfo) {
  LoadedConfig loaded;
  if (!read_config(options, loaded)) return loaded;
  put_over(options, loaded.config);
  const auto add = [&loaded](const std::vector<ConfigIssue>& issues, std::vector<std::string>& texts) {
    for (const auto& issue : issues) texts.push_back(describe(issue, loaded.path));
  };
  add(check_values(loaded.config), loaded.errors);
  try {
    const auto issues = check_mounts(loaded.config, read_mountinfo(mountinfo));
    add(issues.errors, loaded.errors);
    add(issues.warnings, loaded.warnings);
  } catch (const SystemError& error) {
    loaded.errors.push_back(fmt::format("{}. Is /proc mounted?", error.what()));
  }
  if (loaded.config.targets.empty()) {
    loaded.warnings.push_back(
        "no target is configured, so nothing is watched. Add a [[target]], or --target NAME=PATH");
  }
  return loaded;
}

std::string describe(const ConfigIssue& issue, const std::string& path) {
  if (issue.position.line == 0) return issue.text;
  return fmt::format("{}:{}:{}: {}", path, issue.position.line, issue.position.column, issue.text);
}

}  // namespace writecanary::daemon
