#include <memory>

#include "cli/gate/gate.h"
#include "cli/terminal/parsed_option.h"
#include "core/text/units.h"

namespace writecanary::cli {
namespace {

std::optional<std::chrono::milliseconds> parse_window(const std::string& text) {
  const auto duration = parse_duration(text);
  return duration && duration->count() > 0 ? duration : std::nullopt;
}

}  // namespace

void add_gate(CLI::App& app, const Environment& environment, std::function<int()>& action) {
  CLI::App* command = app.add_subcommand("gate", "May this kernel be promoted, by what the fleet's Prometheus knows?");
  const auto options = std::make_shared<GateOptions>();
  const auto whole = [&](const std::string& name, auto& out, const std::string& help) {
    add_parsed(command, name, out, parse_whole<std::uint64_t>, "a whole number from 0 on", help);
  };
  command->add_option("--prometheus", options->prometheus, "Its URL, http://HOST:9090")
      ->required()
      ->envname("WRITECANARY_PROMETHEUS");
  command->add_option("--kernel", options->question.kernel, "Regular expression for the whole release")->required();
  add_parsed(command, "--window", options->question.window, parse_window, "a duration such as 7d",
             "How far to look back, 7d");
  command->add_option("--match", options->question.matchers,
                      "Only series with these labels: job=\"canary\",dc=~\"a.*\"");
  whole("--min-exposures", options->limits.min_exposures, "Evidence that is asked for, 1000");
  whole("--min-hosts", options->limits.min_hosts, "Hosts with exposures that are asked for, 1");
  whole("--max-duplicates", options->limits.max_duplicates, "Duplicates that are tolerated, 0");
  whole("--max-torn", options->limits.max_torn, "Torn appends that are tolerated, 0");
  add_fail_on(command, options->limits.fail_on);
  command->add_option("--token-file", options->token_file, "File that holds Prometheus' bearer token");
  command->add_flag("--json", options->json, "One JSON document on stdout");
  command->callback(
      [&environment, &action, options] { action = [&environment, options] { return gate(environment, *options); }; });
}

}  // namespace writecanary::cli
