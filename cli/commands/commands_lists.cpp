#include <fmt/format.h>

#include "cli/check/check.h"
#include "cli/commands/commands.h"
#include "cli/commands/fields.h"
#include "cli/commands/listing.h"
#include "cli/terminal/table.h"
#include "core/base/json_text.h"
#include "core/process/probe_process.h"
#include "core/text/units.h"

namespace writecanary::cli {
namespace {

Cell verdict_cell(const nlohmann::json& run) {
  const std::string verdict = text_field(run, "verdict");
  if (verdict.empty()) return {text_field(run, "state"), Style::kDim};
  return {verdict, style_of_verdict(verdict)};
}

}  // namespace

std::string query_path(const std::string& path, const Filter& filter) {
  std::string result = path;
  char separator = '?';
  for (const auto& [name, value] : filter) {
    if (value.empty()) continue;
    result += fmt::format("{}{}={}", separator, name, encode_uri(value));
    separator = '&';
  }
  return result;
}

int show_targets(const Environment& environment, const Client& client, bool json) {
  Table table({{"TARGET"}, {"STATE"}, {"FILESYSTEM"}, {"WRITTEN TODAY", true}, {"PATH"}, {"WHY"}});
  return show_list(environment, client.get("/api/v1/targets"), json, std::move(table), "No targets are configured.",
                   [](Table& rows, const nlohmann::json& target) {
                     const std::string note = text_field(target, "paused_note");
                     const std::string type = text_field(inner(target, "filesystem"), "type");
                     rows.add({{text_field(target, "name"), Style::kBold},
                               text_field(target, "state"),
                               type.empty() ? "-" : type,
                               format_size(count_field(target, "bytes_today")),
                               text_field(target, "path"),
                               note.empty() ? text_field(target, "state_reason") : note});
                   });
}

int show_runs(const Environment& environment, const Client& client, const Filter& filter, bool json) {
  Table table({{"RUN", true},
               {"TARGET"},
               {"PROFILE"},
               {"VERDICT"},
               {"WHEN"},
               {"WRITES", true},
               {"EXPOSURES", true},
               {"FINDINGS"},
               {"REASON"}});
  return show_list(environment, client.get(query_path("/api/v1/runs", filter)), json, std::move(table), "No such runs.",
                   [&](Table& rows, const nlohmann::json& run) {
                     const std::string queued = time_field(run, "queued_at", environment.clock.now(), "-");
                     rows.add({text_field(run, "id"),
                               {text_field(run, "target"), Style::kBold},
                               text_field(run, "profile"),
                               verdict_cell(run),
                               time_field(run, "finished_at", environment.clock.now(), queued),
                               format_count(count_field(run, "writes")),
                               format_count(count_field(run, "exposures")),
                               counts_field(run, "finding_counts"),
                               text_field(run, "reason")});
                   });
}

int show_findings(const Environment& environment, const Client& client, const Filter& filter, bool json) {
  Table table({{"FINDING", true},
               {"KIND"},
               {"STATE"},
               {"TARGET"},
               {"PROFILE"},
               {"RUN", true},
               {"FOUND"},
               {"OFFSET", true},
               {"LENGTH", true},
               {"DETAIL"}});
  return show_list(environment, client.get(query_path("/api/v1/findings", filter)), json, std::move(table),
                   "No such findings.", [&](Table& rows, const nlohmann::json& finding) {
                     const bool done = flag_field(finding, "acknowledged");
                     rows.add({text_field(finding, "id"),
                               {text_field(finding, "kind"), done ? Style::kPlain : Style::kBad},
                               done ? "acknowledged" : "open",
                               text_field(finding, "target"),
                               text_field(finding, "profile"),
                               text_field(finding, "run_id"),
                               time_field(finding, "found_at", environment.clock.now(), "-"),
                               format_count(count_field(finding, "offset_bytes")),
                               format_count(count_field(finding, "length_bytes")),
                               text_field(finding, "detail")});
                   });
}

int show_profiles(const Environment& environment, bool json) {
  const Catalogue catalogue = load_catalogue(probe_program());
  if (json) {
    environment.out << json_text({{"items", catalogue}}, 2) << '\n';
    return 0;
  }
  for (const ProfileInfo& profile : catalogue) {
    environment.out << styled(profile.name, Style::kBold, environment.colour) << " (" << profile.role
                    << "): " << profile.title << '\n';
    const std::size_t width =
        environment.out_columns() > 4 ? static_cast<std::size_t>(environment.out_columns()) - 2 : 0;
    for (const std::string& text : {profile.description, "Holds: " + profile.oracle, "Exposed: " + profile.exposure}) {
      for (const std::string& line : wrap(text, width)) environment.out << "  " << line << '\n';
    }
    for (const ProfileOption& option : profile.options) {
      environment.out << fmt::format("  --option {}={}  {} to {} {}: {}\n", option.name, option.default_value,
                                     option.minimum, option.maximum, option.unit, option.description);
    }
    environment.out << '\n';
  }
  return 0;
}

}  // namespace writecanary::cli
