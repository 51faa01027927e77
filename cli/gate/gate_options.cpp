#include <algorithm>
#include <memory>

#include "cli/gate/gate.h"
#include "cli/terminal/output_format.h"
#include "cli/terminal/parsed_option.h"
#include "core/text/units.h"

namespace writecanary::cli {
namespace {

std::optional<std::chrono::milliseconds> parse_window(const std::string& text) {
  const auto duration = parse_duration(text);
  return duration && duration->count() > 0 ? duration : std::nullopt;
}

// "append,append-interposed"; nothing when one is empty.
std::optional<std::vector<std::string>> parse_names(const std::string& text) {
  std::vector<std::string> names;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    if (end == begin) return std::nullopt;
    names.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
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
  command->add_option(
      "--compare", options->question.compare,
      "Regular expression for the release that runs now: what was exposed there has to be exposed here");
  add_parsed(command, "--require", options->limits.require, parse_names,
             "a list of profiles such as append,append-sync",
             "Detectors that must have been exposed; those of --compare, or all that ever were");
  add_parsed(command, "--window", options->question.window, parse_window, "a duration such as 7d",
             "How far to look back, 7d");
  command->add_option("--match", options->question.matchers,
                      "Only series with these labels: job=\"canary\",dc=~\"a.*\"");
  whole("--min-exposures", options->limits.min_exposures, "Exposures of each of them that are asked for, 1000");
  whole("--min-hosts", options->limits.min_hosts, "Hosts that exposed each of them, 1");
  whole("--max-duplicates", options->limits.max_duplicates, "Duplicates that are tolerated, 0");
  whole("--max-torn", options->limits.max_torn, "Torn appends that are tolerated, 0");
  add_fail_on(command, options->limits.fail_on);
  command->add_option("--token-file", options->token_file, "File that holds Prometheus' bearer token");
  add_format(command, options->format);
  command->callback(
      [&environment, &action, options] { action = [&environment, options] { return gate(environment, *options); }; });
}

}  // namespace writecanary::cli
