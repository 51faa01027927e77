#include <fmt/format.h>

#include "cli/commands/commands.h"
#include "cli/commands/fields.h"
#include "cli/commands/listing.h"

namespace writecanary::cli {
namespace {

Cell state_cell(const nlohmann::json& incident) {
  const std::string state = text_field(incident, "state");
  if (state != "open") return {state, Style::kDim};
  return {state, text_field(incident, "class") == "corruption" ? Style::kBad : Style::kWarn};
}

// One in so many exposures, or how many in each.
std::string rate_text(const nlohmann::json& incident) {
  const double rate = number_field(incident, "rate");
  if (rate <= 0) return "-";
  return rate < 1 ? fmt::format("1 in {}", format_count(static_cast<std::uint64_t>(1 / rate + 0.5)))
                  : fmt::format("{:.1f}", rate);
}

std::string known_text(const nlohmann::json& incident) {
  const nlohmann::json& known = inner(incident, "known");
  if (text_field(incident, "state") == "resolved") return "not seen on " + text_field(incident, "resolved_on");
  if (!known.contains("by")) return "";
  return fmt::format("{} (by {}, until {})", text_field(known, "note"), text_field(known, "by"),
                     text_field(known, "until"));
}

}  // namespace

int show_incidents(const Environment& environment, const Client& client, const Filter& filter, bool json) {
  Table table({{"INCIDENT", true},
               {"STATE"},
               {"KIND"},
               {"TARGET"},
               {"PROFILE"},
               {"KERNEL"},
               {"FIRST"},
               {"LAST"},
               {"RUNS", true},
               {"FINDINGS", true},
               {"RATE", true},
               {"NOTE"}});
  return show_list(environment, client.get(query_path("/api/v1/incidents", filter)), json, std::move(table),
                   "No such incidents.", [&](Table& rows, const nlohmann::json& incident) {
                     rows.add({text_field(incident, "id"),
                               state_cell(incident),
                               text_field(incident, "kind"),
                               {text_field(incident, "target"), Style::kBold},
                               text_field(incident, "profile"),
                               text_field(incident, "kernel_release"),
                               time_field(incident, "first_seen_at", environment.clock.now(), "-"),
                               time_field(incident, "last_seen_at", environment.clock.now(), "-"),
                               format_count(count_field(incident, "runs")),
                               format_count(count_field(incident, "findings")),
                               rate_text(incident),
                               known_text(incident)});
                   });
}

int acknowledge(const Environment& environment, const Client& client, std::int64_t incident, const std::string& note,
                const std::string& until, bool json) {
  const std::string body =
      client.post(fmt::format("/api/v1/incidents/{}/ack", incident), {{"note", note}, {"until", until}});
  if (json) {
    environment.out << body << '\n';
    return 0;
  }
  const nlohmann::json document = parse_answer(body);
  environment.out << printable(fmt::format("Incident {} ({} on {}, kernel {}) is known: {}", incident,
                                           text_field(document, "kind"), text_field(document, "target"),
                                           text_field(document, "kernel_release"), known_text(document)))
                  << '\n';
  return 0;
}

}  // namespace writecanary::cli
