#include "cli/check/check.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "cli/check/check_cases.h"
#include "cli/check/check_report.h"
#include "cli/check/delegation.h"
#include "cli/terminal/interrupts.h"
#include "cli/terminal/progress_bar.h"
#include "cli/terminal/run_view.h"
#include "core/base/error.h"
#include "core/base/json_text.h"
#include "core/base/system_text.h"
#include "core/base/version.h"
#include "core/host/cgroup.h"
#include "core/loop/event_loop.h"
#include "core/process/probe_process.h"
#include "core/report/known_issues.h"
#include "core/supervisor/run_supervisor.h"

namespace writecanary::cli {
namespace {

// Whether the cgroup is of a check whose process is gone: one that was killed could not remove it.
bool is_of_dead_check(const std::string& cgroup) {
  pid_t pid = 0;
  if (std::sscanf(cgroup.c_str(), "check-%d-", &pid) != 1 || pid <= 0) return false;
  return pid == getpid() || (kill(pid, 0) != 0 && errno == ESRCH);
}

// The classic workload brings no pressure of its own and so needs no cgroup.
CgroupRoot find_place(const Environment& environment, const RunSpec& spec) {
  if (spec.classic) return {0, {}, "--classic runs without a cgroup"};
  CgroupRoot root = prepare_cgroup_root();
  if (root.version == 0) {
    environment.err << "No verdict here can be better than unexposed: " << root.reason << '\n'
                    << delegation_advice(environment.command_line, find_caller());
  }
  remove_empty_cgroups(root, is_of_dead_check);
  return root;
}

// The first Ctrl-C asks the probe to end, the next one kills it. Its stderr and its progress go to the bar.
RunResult run_one(RunSpec spec, const CgroupRoot& root, Interrupts& interrupts, ProgressBar& progress,
                  const Clock& clock) {
  std::optional<RunResult> result;
  try {
    EventLoop loop;
    RunCallbacks callbacks;
    callbacks.on_progress = [&](const Progress& seen) { progress.update(spec.profile, seen); };
    callbacks.on_line = [&](const std::string& line) { progress.note(line); };
    callbacks.on_result = [&](RunResult concluded) { result = std::move(concluded); };
    RunSupervisor supervisor(loop, clock, root,
                             {.program = probe_program(),
                              .spec = spec,
                              .cgroup_name = spec.run_id,
                              .wording = {.stops = "Ctrl-C", .memory = "Give it more with --memory"}},
                             std::move(callbacks));
    bool asked = false;
    const auto watch = loop.watch(interrupts.fd(), EPOLLIN, [&] {
      for (int times = interrupts.take(); times > 0; --times) {
        if (std::exchange(asked, true)) {
          supervisor.kill();
        } else {
          supervisor.stop();
        }
      }
    });
    while (!result) loop.run_once();
  } catch (const SystemError& error) {  // the boundary of one run: the others still say something
    spec.pressure = {root.backend(), "", root.reason};
    result = result_without_probe(spec, Verdict::kError, error.what());
  }
  progress.clear();
  return *std::move(result);
}

void print_where(const Environment& environment, const std::string& path, const RunResult& run) {
  if (run.kernel.release.empty()) return;  // the probe did not get far enough to say
  environment.out << fmt::format("{}: {}, Linux {}, memory cgroup: {}\n", system_name(path), describe(run.filesystem),
                                 run.kernel.release, run.pressure.backend);
  for (const IssueMatch& match : match_issues(identify_kernel(run.kernel), run.filesystem.type)) {
    environment.out << "Known, not measured: " << match.text << '\n';
  }
  environment.out << '\n';
}

}  // namespace

std::string probe_program() {
  const char* given = std::getenv("WRITECANARY_PROBE");
  return given != nullptr && *given != '\0' ? given : sibling_program("writecanary-probe");
}

std::vector<RunResult> make_runs(const Environment& environment, const std::vector<RunSpec>& specs) {
  const CgroupRoot root = find_place(environment, specs.front());
  std::vector<RunResult> runs;
  Interrupts interrupts;
  ProgressBar progress(environment);
  for (const RunSpec& spec : specs) {
    runs.push_back(run_one(spec, root, interrupts, progress, environment.clock));
    if (interrupts.any()) break;
  }
  return runs;
}

nlohmann::json check_document(const std::string& path, const std::vector<RunResult>& runs) {
  nlohmann::json document = {
      {"version", kVersion}, {"path", system_name(path)}, {"verdict", to_string(*overall_verdict(runs))}};
  document["kernel"] = runs.back().kernel;
  document["filesystem"] = runs.back().filesystem;
  document["known_issues"] = match_issues(identify_kernel(runs.back().kernel), runs.back().filesystem.type);
  document["runs"] = nlohmann::json::array();
  for (const RunResult& run : runs) document["runs"].push_back(run_document(run));
  return document;
}

void print_check(const Environment& environment, const std::string& path, const std::vector<RunResult>& runs) {
  print_where(environment, path, runs.back());
  print_runs(environment, runs);
}

int check(const Environment& environment, const CheckOptions& options) {
  const Catalogue catalogue = load_catalogue(probe_program());
  const std::vector<RunSpec> specs = plan_check(options, catalogue, environment.random_seed);
  const std::vector<RunResult> runs = make_runs(environment, specs);
  for (std::size_t i = 0; i < runs.size(); ++i) keep_report(environment, specs[i], runs[i], catalogue);

  switch (options.format) {
    case OutputFormat::kText:
      print_check(environment, specs.front().path, runs);
      break;
    case OutputFormat::kJson:
      environment.out << json_text(check_document(specs.front().path, runs), 2) << '\n';
      break;
    case OutputFormat::kJunit:
      environment.out << junit_text(check_suite(environment, specs, runs, catalogue, options.fail_on));
      break;
    case OutputFormat::kTap:
      environment.out << tap_text(check_suite(environment, specs, runs, catalogue, options.fail_on));
      break;
  }
  if (runs.size() < specs.size()) {
    environment.err << fmt::format("{} of {} runs were made before Ctrl-C.\n", runs.size(), specs.size());
  }
  return exit_code_of(runs, options.fail_on);
}

}  // namespace writecanary::cli
