#include <memory>
#include <optional>

#include "cli/at_risk/at_risk.h"
#include "cli/chosen.h"
#include "cli/commands/commands.h"
#include "cli/commands/commands_evidence.h"
#include "cli/terminal/parsed_option.h"
#include "core/text/units.h"

namespace writecanary::cli {
namespace {

void add_reproducer(CLI::App& app, const Environment& environment, Chosen& chosen) {
  const auto what = std::make_shared<std::string>();
  CLI::App* command =
      add_daemon_command(app, chosen, "reproducer", "One C file that shows a finding with nothing of ours", nullptr);
  command->add_option("FINDING", *what, "Number of a daemon's finding, or the path of kept evidence")->required();
  command->callback([&environment, &chosen, what] {
    chosen.action = [&environment, &chosen, what] {
      const auto number = parse_whole<std::int64_t>(*what);
      if (!number || *number < 1) return reproducer_of_evidence(environment, *what);
      return reproducer(environment, Client(chosen.url, chosen.credentials), *number);
    };
  });
}

// "10s", or a number of seconds.
std::optional<std::chrono::milliseconds> parse_watch(const std::string& text) {
  const auto seconds = parse_whole<std::uint32_t>(text);
  const auto duration =
      seconds ? std::optional<std::chrono::milliseconds>(std::chrono::seconds(*seconds)) : parse_duration(text);
  return duration && duration->count() > 0 && *duration <= kWatchMax ? duration : std::nullopt;
}

void add_at_risk(CLI::App& app, const Environment& environment, Chosen& chosen) {
  const auto options = std::make_shared<AtRiskOptions>();
  CLI::App* command = add_daemon_command(app, chosen, "at-risk",
                                         "Which processes append through io_uring on this host?", &options->json);
  command->add_option("PATH", options->path, "On the filesystem that is asked about; any local one unless given");
  add_parsed(command, "--watch", options->watch, parse_watch, "a time between 1ms and 1h, such as 10s",
             "Count for so long which writes are handed to io-wq, by the kernel's tracepoints");
  command->callback([&environment, &chosen, options] {
    chosen.action = [&environment, &chosen, options] {
      return at_risk(environment, *options, chosen.url, chosen.credentials);
    };
  });
}

}  // namespace

CLI::App* add_daemon_command(CLI::App& app, Chosen& chosen, const std::string& name, const std::string& help,
                             bool* json) {
  CLI::App* command = app.add_subcommand(name, help);
  command->add_option("--url", chosen.url, "The daemon: http://HOST:PORT, https://HOST:PORT/PATH or unix:/PATH")
      ->envname("WRITECANARY_URL")
      ->capture_default_str();
  command->add_option("--token-file", chosen.credentials.token, "File that holds the bearer token")
      ->envname("WRITECANARY_TOKEN_FILE");
  command->add_option("--ca-file", chosen.credentials.ca, "PEM file with who signed the daemon's certificate")
      ->envname("WRITECANARY_CA_FILE");
  command->add_option("--cert-file", chosen.credentials.certificate, "PEM certificate to show to the daemon");
  command->add_option("--key-file", chosen.credentials.key, "PEM key of that certificate");
  if (json != nullptr) command->add_flag("--json", *json, "The API's document on stdout");
  return command;
}

void add_on_call(CLI::App& app, const Environment& environment, Chosen& chosen) {
  add_reproducer(app, environment, chosen);
  add_at_risk(app, environment, chosen);
}

}  // namespace writecanary::cli
