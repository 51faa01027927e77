// writecanary-probe: reads a run spec on stdin, runs it, writes events on stdout. Started by writecanaryd and by
// `writecanary check`; a person uses it by hand only to see what it says.
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "core/base/complain.h"
#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/json_text.h"
#include "core/base/version.h"
#include "core/run/protocol.h"
#include "probe/detector_trial.h"
#include "probe/explain.h"
#include "probe/run/profile.h"
#include "probe/runner.h"

namespace {

std::atomic<bool> stop_requested{false};

void on_stop_signal(int) { stop_requested = true; }

void handle_signals() {
  struct sigaction action {};
  action.sa_handler = on_stop_signal;  // no SA_RESTART: a blocking call returns and the loop sees the flag
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a file beyond RLIMIT_FSIZE is an error of the write then (EFBIG), not the end
}

// A canary gives way to everyone: low CPU priority, idle I/O class, first in line when the host runs out of memory.
void yield_to_others() {
  constexpr int kNice = 10, kIoWhoProcess = 1, kIoClassIdle = 3, kIoClassShift = 13;
  setpriority(PRIO_PROCESS, 0, kNice);
  syscall(SYS_ioprio_set, kIoWhoProcess, 0, kIoClassIdle << kIoClassShift);
  try {
    writecanary::write_control_file("/proc/self/oom_score_adj", "1000");
  } catch (const writecanary::SystemError&) {  // only a courtesy
  }
}

int run_from_stdin() {
  const auto spec =
      nlohmann::json::parse(writecanary::read_to_end(STDIN_FILENO, "the run spec")).get<writecanary::RunSpec>();
  handle_signals();
  yield_to_others();
  writecanary::probe::Emitter emitter(STDOUT_FILENO);
  const writecanary::SystemClock clock;
  writecanary::probe::run_spec(spec, emitter, clock, stop_requested);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string argument = argc > 1 ? argv[1] : "";
  try {
    if (argument == "--catalogue") {
      fmt::print("{}\n", writecanary::json_text(writecanary::probe::catalogue(), 1));
      return 0;
    }
    if (argument == "--version") {
      fmt::print("writecanary-probe {} ({})\n", writecanary::kVersion, writecanary::kRevision);
      return 0;
    }
    if (argument == "--explain" && argc == 3) {
      fmt::print("{}\n", writecanary::json_text(writecanary::probe::explain(argv[2]), 1));
      return 0;
    }
    if (argument == "--self-test") {
      fmt::print("{}\n", writecanary::json_text(writecanary::probe::try_detectors(), 1));
      return 0;
    }
    if (argc == 1) return run_from_stdin();
    fmt::print(stderr,
               "writecanary-probe: unknown argument \"{}\". Usage: writecanary-probe [--catalogue | --explain FILE | "
               "--self-test | --version], or a run spec on stdin\n",
               argument);
  } catch (const std::exception& error) {
    writecanary::complain(fmt::format("writecanary-probe: {}", error.what()));
  }
  return 1;
}
