#include "cli/app.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "cli/check/check.h"
#include "cli/check/coverage_view.h"
#include "cli/chosen.h"
#include "cli/commands/commands.h"
#include "cli/commands/commands_evidence.h"
#include "cli/gate/gate.h"
#include "cli/terminal/output_format.h"
#include "cli/terminal/parsed_option.h"
#include "cli/terminal/text.h"
#include "core/base/limits.h"
#include "core/base/version.h"
#include "core/text/units.h"

namespace writecanary::cli {
namespace {

constexpr char kFooter[] =
    "Exit codes of check, run --wait and gate: 0 clean, 1 usage or configuration, 2 corruption found, 3 inconclusive,\n"
    "4 unsupported here, 5 failed to run, 6 a violation: the kernel broke a promise, no acknowledged byte is wrong.";

std::optional<std::uint64_t> parse_positive(const std::string& text) {
  const auto value = parse_whole<std::uint64_t>(text);
  return value == std::uint64_t{0} ? std::nullopt : value;
}

std::optional<std::uint64_t> parse_run_duration(const std::string& text) {
  const auto duration = parse_duration(text);
  if (!duration || duration->count() < 1 || static_cast<std::uint64_t>(duration->count()) > kDurationMsMax) return {};
  return static_cast<std::uint64_t>(duration->count());
}

std::optional<std::uint64_t> parse_run_memory(const std::string& text) {
  const auto bytes = parse_size(text);
  if (!bytes || *bytes < kMemoryBytesMin || *bytes > kMemoryBytesMax) return {};
  return bytes;
}

void add_duration(CLI::App* command, std::optional<std::uint64_t>& out) {
  add_parsed(command, "--duration", out, parse_run_duration, "a duration between 1ms and 24h, such as 10s",
             "How long to write, for example 10s");
}

template <typename Options>
void add_seed(CLI::App* command, Options& options) {
  add_parsed(command, "--seed", options.seed, parse_whole<std::uint64_t>, "a number from 0 to 2^64-1",
             "Replays the plan of an earlier run");
}

void add_profile_options(CLI::App* command, std::map<std::string, std::int64_t>& profile_options) {
  command
      ->add_option_function<std::vector<std::string>>(
          "--option",
          [&profile_options](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) {
              const std::size_t equals = text.find('=');
              const auto value = parse_whole<std::int64_t>(equals == std::string::npos ? "" : text.substr(equals + 1));
              if (!value || equals == 0) {
                throw CLI::ValidationError("--option", fmt::format("\"{}\" is not NAME=NUMBER", text));
              }
              profile_options[text.substr(0, equals)] = *value;
            }
          },
          "NAME=NUMBER of the profile (see: writecanary profiles)")
      ->allow_extra_args(false);
}

// The options that `check` and `run` share.
template <typename Options>
void add_workload(CLI::App* command, Options& options, std::map<std::string, std::int64_t>& profile_options) {
  add_duration(command, options.duration_ms);
  add_parsed(command, "--writes", options.writes, parse_positive, "a number from 1 on", "Number of writes");
  add_seed(command, options);
  add_parsed(command, "--memory", options.memory_bytes, parse_run_memory,
             "a size between 16MiB and 4GiB, such as 64MiB", "Limit of the run's memory cgroup, 64MiB");
  command->add_flag("--classic", options.classic, "The original reproducer's workload, with the profile append");
  add_profile_options(command, profile_options);
}

void add_check(CLI::App& app, const Environment& environment, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("check", "Run the canary here and now on a directory, without a daemon");
  const auto options = std::make_shared<CheckOptions>();
  command->add_option("PATH", options->path, "Directory on the filesystem to test")->required();
  command->add_option("--profile", options->profile, "Profile, or all (append, nowait-contract, append-interposed)");
  add_workload(command, *options, options->profile_options);
  add_parsed(command, "--bytes", options->bytes, parse_size, "a size such as 1GiB", "End after this many bytes");
  command->add_option_function<std::string>(
      "--min-free",
      [options](const std::string& text) {
        const auto percent = parse_percent(text);
        const auto bytes = parse_size(text);
        if (!percent && !bytes)
          throw CLI::ValidationError("--min-free", fmt::format("\"{}\" is neither 5% nor 1GiB", text));
        options->min_free_percent = percent.value_or(0);
        options->min_free_bytes = bytes.value_or(0);
      },
      "Space that must stay free, 5% or a size");
  command->add_option("--keep-evidence", options->evidence_directory,
                      "Directory for damaged files, with all that is known of them and a report");
  add_parsed(command, "--max-evidence", options->evidence_bytes_max, parse_size, "a size such as 64MiB",
             "Keep at most this much of a run, 64MiB");
  add_fail_on(command, options->fail_on);
  add_format(command, options->format);
  command->callback([&environment, &chosen, options] {
    chosen.action = [&environment, options] { return check(environment, *options); };
  });
}

void add_incidents(CLI::App& app, const Environment& environment, Chosen& chosen, std::shared_ptr<bool> json) {
  const auto filter = std::make_shared<Filter>();
  const auto all = std::make_shared<bool>(false);
  CLI::App* command = add_daemon_command(
      app, chosen, "incidents", "What was found: findings of one kind, profile, target and kernel", json.get());
  command->add_flag("--all", *all, "Also what is resolved");
  for (const char* parameter : {"kind", "class", "target", "profile", "release"}) {
    command->add_option(std::string("--") + parameter, (*filter)[parameter],
                        std::string("Only with this ") + parameter);
  }
  command->add_option("--limit", (*filter)["limit"], "At most this many");
  command->add_option("--cursor", (*filter)["cursor"], "The page that an earlier answer named");
  command->callback([&environment, &chosen, json, filter, all] {
    chosen.action = [&environment, &chosen, json, filter, all] {
      if (!*all) (*filter)["state"] = "open,known";
      return show_incidents(environment, Client(chosen.url, chosen.credentials), *filter, *json);
    };
  });
}

void add_lists(CLI::App& app, const Environment& environment, Chosen& chosen) {
  const auto json = std::make_shared<bool>(false);
  const auto simple = [&](const std::string& name, const std::string& help,
                          int (*show)(const Environment&, const Client&, bool)) {
    add_daemon_command(app, chosen, name, help, json.get())->callback([&environment, &chosen, json, show] {
      chosen.action = [&environment, &chosen, json, show] {
        return show(environment, Client(chosen.url, chosen.credentials), *json);
      };
    });
  };
  simple("status", "The whole host on one screen", show_status);
  simple("health", "Whether the daemon answers; needs no token", show_health);
  simple("targets", "The configured targets and their state", show_targets);

  using ShowList = int (*)(const Environment&, const Client&, const Filter&, bool);
  const auto filtered = [&](const std::string& name, const std::string& help,
                            const std::vector<std::string>& parameters, ShowList show) {
    const auto filter = std::make_shared<Filter>();
    CLI::App* command = add_daemon_command(app, chosen, name, help, json.get());
    for (const std::string& parameter : parameters)
      command->add_option("--" + parameter, (*filter)[parameter], "Only with this " + parameter);
    command->add_option("--since", (*filter)["since"], "From this time on (RFC 3339)");
    command->add_option("--until", (*filter)["until"], "Before this time (RFC 3339)");
    command->add_option("--limit", (*filter)["limit"], "At most this many");
    command->add_option("--cursor", (*filter)["cursor"], "The page that an earlier answer named");
    command->callback([&environment, &chosen, json, filter, show] {
      chosen.action = [&environment, &chosen, json, filter, show] {
        return show(environment, Client(chosen.url, chosen.credentials), *filter, *json);
      };
    });
  };
  filtered("runs", "Runs, newest first", {"target", "profile", "verdict", "state", "kernel"}, show_runs);
  filtered("findings", "Findings, newest first", {"kind", "target", "profile", "kernel", "acknowledged"},
           show_findings);

  add_incidents(app, environment, chosen, json);

  CLI::App* profiles = app.add_subcommand("profiles", "What the canary can do, with each profile's options");
  profiles->add_flag("--json", *json, "One JSON document on stdout");
  const auto covering = std::make_shared<CheckOptions>();
  const auto wanted = std::make_shared<bool>(false);
  CLI::Option* coverage = profiles->add_flag(
      "--coverage", *wanted, "Run them, two seconds each, and say which operations met which states of a file");
  covering->path = ".";
  profiles->add_option("PATH", covering->path, "With --coverage: directory on the filesystem to run on, here")
      ->needs(coverage);
  profiles->add_option("--profile", covering->profile, "With --coverage: this profile alone")->needs(coverage);
  add_duration(profiles, covering->duration_ms);
  add_seed(profiles, *covering);
  add_profile_options(profiles, covering->profile_options);
  profiles->callback([&environment, &chosen, json, covering, wanted] {
    chosen.action = [&environment, json, covering, wanted] {
      return *wanted ? show_coverage(environment, *covering, *json) : show_profiles(environment, *json);
    };
  });
}

void add_run(CLI::App& app, const Environment& environment, Chosen& chosen) {
  const auto request = std::make_shared<RunRequest>();
  CLI::App* command = add_daemon_command(app, chosen, "run", "Start a run on a daemon", &request->json);
  command->add_option("TARGET", request->target, "A configured target")->required();
  command->add_option("--profile", request->profile, "Profile")->capture_default_str();
  add_workload(command, *request, request->options);
  command->add_flag("--queue", request->queue, "Wait behind a running one instead of being refused");
  command->add_flag("--wait", request->wait, "Until it has ended; the exit code is its verdict's");
  command->add_flag("--follow", request->follow, "Like --wait, and draw its progress");
  add_fail_on(command, request->fail_on);
  command->callback([&environment, &chosen, request] {
    chosen.action = [&environment, &chosen, request] {
      return start_run(environment, Client(chosen.url, chosen.credentials), *request);
    };
  });
}

void add_actions(CLI::App& app, const Environment& environment, Chosen& chosen) {
  struct Options {
    std::int64_t id = 0;
    std::optional<std::int64_t> run;
    std::string note;
    std::string until = "kernel";
    std::string format = "text";
    bool json = false;
  };
  const auto options = std::make_shared<Options>();
  const auto does = [&](CLI::App* command, const std::function<int(const Client&, const Options&)>& action) {
    command->callback([&chosen, options, action] {
      chosen.action = [&chosen, options, action] { return action(Client(chosen.url, chosen.credentials), *options); };
    });
  };
  const auto number = CLI::Range(std::int64_t{1}, INT64_MAX);

  CLI::App* stop = add_daemon_command(app, chosen, "stop", "Stop a run", &options->json);
  stop->add_option("RUN", options->id, "Number of the run")->required()->check(number);
  does(stop,
       [&environment](const Client& client, const Options& o) { return stop_run(environment, client, o.id, o.json); });

  CLI::App* watching =
      add_daemon_command(app, chosen, "watch", "Events as they happen, of one run or of all", &options->json);
  watching->add_option("RUN", options->run, "Number of the run")->check(number);
  does(watching,
       [&environment](const Client& client, const Options& o) { return watch(environment, client, o.run, o.json); });

  CLI::App* ack = add_daemon_command(app, chosen, "ack", "Say that an incident is known", &options->json);
  ack->add_option("INCIDENT", options->id, "Number of the incident")->required()->check(number);
  ack->add_option("--note", options->note, "What is known about it")->required();
  ack->add_option("--until", options->until, "kernel (it changes), rate (it rises) or a date such as 2026-12-24")
      ->capture_default_str();
  does(ack, [&environment](const Client& client, const Options& o) {
    return acknowledge(environment, client, o.id, o.note, o.until, o.json);
  });

  CLI::App* reporting =
      add_daemon_command(app, chosen, "report", "The evidence of a finding, ready for a mailing list", nullptr);
  reporting->add_option("FINDING", options->id, "Number of the finding")->required()->check(number);
  reporting->add_option("--format", options->format, "text or json")->check(CLI::IsMember({"text", "json"}));
  does(reporting, [&environment](const Client& client, const Options& o) {
    return report(environment, client, o.id, o.format == "json");
  });
}

int failed(const Environment& environment, int exit_code, const std::string& text) {
  environment.err << "writecanary: " << printable(text) << '\n';
  return exit_code;
}

}  // namespace

int run_command_line(const Environment& environment, std::vector<std::string> arguments) {
  CLI::App app("writecanary finds silent write corruption: bytes that a kernel said it wrote and did not keep.",
               "writecanary");
  app.set_version_flag("--version", fmt::format("writecanary {} ({})", kVersion, kRevision));
  app.require_subcommand(1);
  app.footer(kFooter);
  Chosen chosen;
  add_check(app, environment, chosen);
  add_lists(app, environment, chosen);
  add_run(app, environment, chosen);
  add_actions(app, environment, chosen);
  add_evidence(app, environment, chosen.action);
  add_gate(app, environment, chosen.action);
  add_on_call(app, environment, chosen);
  try {
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
    app.parse(std::move(arguments));
    return chosen.action();
  } catch (const CLI::ParseError& error) {
    return app.exit(error, environment.out, environment.err) == 0 ? 0 : kExitUsage;
  } catch (const CommandError& error) {
    return failed(environment, error.exit_code(), error.what());
  } catch (const std::exception& error) {
    return failed(environment, kExitFailed, error.what());
  }
}

}  // namespace writecanary::cli
