// writecanaryd: the lifecycle, from the command line to the exit code.
#include <fmt/format.h>
#include <malloc.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "core/base/complain.h"
#include "core/base/system_text.h"
#include "core/base/version.h"
#include "core/host/own_libraries.h"
#include "core/process/probe_process.h"
#include "daemon/config/config_reference.h"
#include "daemon/config/config_toml.h"
#include "daemon/daemon.h"
#include "daemon/loop/log.h"
#include "daemon/options.h"
#include "storage/database/backup.h"

namespace writecanary::daemon {
namespace {

// glibc would keep what the largest response took once for each worker that ever made one: megabytes for a fleet's
// metrics.
void share_memory_between_threads() { mallopt(M_ARENA_MAX, 2); }

void hold_back_reloads() {
  sigset_t reload;
  sigemptyset(&reload);
  sigaddset(&reload, SIGHUP);
  sigprocmask(SIG_BLOCK, &reload, nullptr);
}

int refuse(const LoadedConfig& loaded) {
  for (const auto& error : loaded.errors) complain(error);
  return 1;
}

int run(const Options& options) {
  if (!options.config_reference.empty()) {
    const bool manual = options.config_reference == "mdoc";
    fmt::print("{}", config_reference(manual ? ReferenceFormat::kMdoc : ReferenceFormat::kMarkdown));
    return 0;
  }
  auto loaded = load_config(options);
  if (!loaded.errors.empty()) return refuse(loaded);
  if (options.dump_config) {
    fmt::print("{}", dump_config(loaded.config));
    return 0;
  }

  if (!options.backup_file.empty()) {
    storage::back_up(loaded.config.storage_path, options.backup_file);
    fmt::print("{}: a copy of {}\n", options.backup_file, loaded.config.storage_path);
    return 0;
  }

  share_memory_between_threads();
  std::signal(SIGXFSZ, SIG_IGN);  // a file beyond RLIMIT_FSIZE is an error of the write then, and not the end
  // Blocked before any thread starts, so that all of them are, and the cgroup is entered while there is only one.
  Signals signals;
  const auto probe = sibling_program("writecanary-probe");
  auto catalogue = load_catalogue(probe);
  for (const auto& issue : check_profiles(loaded.config, catalogue)) {
    loaded.errors.push_back(describe(issue, loaded.path));
  }
  if (!loaded.errors.empty()) return refuse(loaded);
  if (options.check_config) {
    for (const auto& warning : loaded.warnings) complain(warning);
    fmt::print("{}: good, {} targets\n", loaded.path.empty() ? "built-in defaults" : loaded.path,
               loaded.config.targets.size());
    return 0;
  }

  set_up_log(options.log_level);
  spdlog::info("writecanaryd {} ({}), configuration: {}", kVersion, kRevision,
               loaded.path.empty() ? "built-in defaults" : loaded.path);
  for (const auto& warning : loaded.warnings) spdlog::warn("{}", warning);
  Daemon daemon({options, std::move(loaded), std::move(signals), prepare_cgroup_root(), probe, std::move(catalogue)});
  if (options.once) return daemon.run_once();
  daemon.serve();
  return 0;
}

}  // namespace
}  // namespace writecanary::daemon

int main(int argc, char** argv) {
  // First of all: a reload that is asked for while the configuration is read must not end what it is for. It is taken
  // up when there is a daemon to reload.
  writecanary::daemon::hold_back_reloads();
  writecanary::adapt_to_host();
  const auto parsed = writecanary::daemon::parse_options(argc, argv);
  if (!parsed.options) return parsed.exit_code;
  try {
    return writecanary::daemon::run(*parsed.options);
  } catch (const std::exception& error) {
    writecanary::complain(fmt::format("writecanaryd: {}", error.what()));
    return 1;
  }
}
