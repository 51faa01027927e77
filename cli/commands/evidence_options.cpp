// The commands of commands_evidence.h as they are typed.
#include <memory>
#include <string>
#include <utility>

#include "cli/commands/commands_evidence.h"
#include "cli/terminal/parsed_option.h"

namespace writecanary::cli {

void add_evidence(CLI::App& app, const Environment& environment, std::function<int()>& chosen) {
  struct Options {
    std::string evidence, path;
    FailOn fail_on = FailOn::kViolation;
    bool json = false;
  };
  const auto options = std::make_shared<Options>();
  const auto add = [&](const std::string& name, const std::string& help, std::function<int()> action) {
    CLI::App* command = app.add_subcommand(name, help);
    command->add_flag("--json", options->json, "One JSON document on stdout");
    command->callback([&chosen, action = std::move(action)] { chosen = action; });
    return command;
  };
  CLI::App* judging =
      add("explain", "Judge a kept damaged file again, from the log of its writes", [&environment, options] {
        return explain_file(environment, options->evidence, options->fail_on, options->json);
      });
  judging->add_option("FILE", options->evidence, "The file, or the .evidence.json beside it")->required();
  add_fail_on(judging, options->fail_on);
  CLI::App* again = add("replay", "Run the plan that evidence is of again, and say whether it happens again",
                        [&environment, options] {
                          return replay(environment, options->evidence, options->path, options->fail_on, options->json);
                        });
  add_fail_on(again, options->fail_on);
  again->add_option("EVIDENCE", options->evidence, "A kept file, or the .evidence.json beside it")->required();
  again->add_option("PATH", options->path, "Another directory than then");
  add("self-test", "Try every detector on damaged and on clean data",
      [&environment, options] { return self_test(environment, options->json); });
}

}  // namespace writecanary::cli
