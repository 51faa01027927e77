#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/commands/fields.h"
#include "cli/terminal/table.h"

namespace writecanary::cli {
namespace {

Table verdict_grid(const nlohmann::json& targets, SystemTime now) {
  Table table({{"TARGET"},
               {"PROFILE"},
               {"VERDICT"},
               {"LAST RUN"},
               {"LAST CLEAN"},
               {"EXPOSURES", true},
               {"NEXT RUN"},
               {"FINDINGS"}});
  for (const nlohmann::json& target : inner(targets, "items")) {
    for (const nlohmann::json& profile : inner(target, "profiles")) {
      const std::string verdict = text_field(profile, "last_verdict");
      table.add({{text_field(target, "name"), Style::kBold},
                 text_field(profile, "profile"),
                 {verdict.empty() ? "never run" : verdict, style_of_verdict(verdict)},
                 time_field(profile, "last_run_at", now, "-"),
                 time_field(profile, "last_clean_at", now, "never"),
                 format_count(count_field(profile, "exposures")),
                 time_field(profile, "next_run_at", now, "-"),
                 counts_field(profile, "finding_counts")});
    }
  }
  return table;
}

// What is not as it should be, a line each.
void print_troubles(const Environment& environment, const nlohmann::json& status, const nlohmann::json& targets) {
  const auto line = [&](const std::string& text) {
    environment.out << styled("! ", Style::kWarn, environment.colour) << printable(text) << '\n';
  };
  if (!flag_field(status, "ready")) line("not ready: " + text_field(status, "not_ready_reason"));
  const nlohmann::json& pressure = inner(status, "pressure");
  if (text_field(pressure, "backend") == "none") line("no memory cgroup: " + text_field(pressure, "reason"));
  const nlohmann::json& config = inner(status, "config");
  if (config.contains("reload_successful") && !flag_field(config, "reload_successful")) {
    line("the last reload failed: " + text_field(config, "reload_error"));
  }
  const nlohmann::json& self_test = inner(status, "self_test");
  if (self_test.contains("ok") && !flag_field(self_test, "ok")) {
    line("the self-test failed, so runs without findings prove nothing; see: writecanary self-test");
  }
  for (const nlohmann::json& notice : inner(status, "notices")) {
    if (notice.is_string()) line(notice.get<std::string>());
  }
  for (const nlohmann::json& target : inner(targets, "items")) {
    const std::string state = text_field(target, "state");
    if (state == "idle" || state == "running") continue;
    line(fmt::format("{} is {}: {}", text_field(target, "name"), state, text_field(target, "state_reason")));
  }
}

}  // namespace

int show_status(const Environment& environment, const Client& client, bool json) {
  const std::string body = client.get("/api/v1/status");
  if (json) {
    environment.out << body << '\n';
    return 0;
  }
  const nlohmann::json status = parse_answer(body);
  const nlohmann::json targets = client.get_json("/api/v1/targets");
  const nlohmann::json& database = inner(status, "database");
  environment.out << styled(printable(text_field(status, "summary")), Style::kBold, environment.colour) << "\n\n"
                  << printable(fmt::format(
                         "{}, Linux {}; writecanaryd {}, up {}; memory cgroup: {}; database {}",
                         text_field(status, "hostname"), text_field(inner(status, "kernel"), "release"),
                         text_field(status, "version"), format_seconds(number_field(status, "uptime_seconds")),
                         text_field(inner(status, "pressure"), "backend"), text_field(database, "path")))
                  << '\n';
  print_troubles(environment, status, targets);
  for (const nlohmann::json& issue : inner(status, "known_issues")) {
    environment.out << printable("Known, not measured: " + text_field(issue, "text")) << '\n';
  }
  const Table grid = verdict_grid(targets, environment.clock.now());
  environment.out << '\n';
  environment.out << (grid.empty() ? "No targets are configured.\n"
                                   : grid.render(environment.out_columns(), environment.colour));
  environment.out << "\nOpen incidents: " << counts_field(inner(status, "incidents"), "open")
                  << "; known: " << count_field(inner(status, "incidents"), "known") << '\n';
  return 0;
}

int show_health(const Environment& environment, const Client& client, bool json) {
  const std::string body = client.get("/healthz");
  environment.out << (json ? body : "The daemon answers.") << '\n';
  return 0;
}

}  // namespace writecanary::cli
