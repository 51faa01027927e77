#include "cli/gate/gate.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/terminal/table.h"
#include "core/base/json_text.h"
#include "core/text/units.h"

namespace writecanary::cli {
namespace {

using nlohmann::json;

json document(const Environment& environment, const GateOptions& options, const GateEvidence& evidence,
              const GateDecision& decision) {
  json releases = json::array();
  for (const GateRelease& row : evidence.releases) {
    releases.push_back({{"release", row.release}, {"hosts", row.hosts}, {"exposures", row.exposures}});
  }
  const auto or_null = [](const auto& value) { return value ? json(*value) : json(); };
  return {{"verdict", to_string(decision.verdict)},
          {"exit_code", exit_code(decision.verdict)},
          {"reasons", decision.reasons},
          {"kernel", options.question.kernel},
          {"window_seconds", static_cast<double>(options.question.window.count()) / 1000},
          {"at", format_timestamp(to_unix_ms(environment.clock.now()))},
          {"releases", std::move(releases)},
          {"hosts", evidence.hosts()},
          {"exposed_hosts", evidence.exposed_hosts},
          {"corrupt_hosts", evidence.corrupt_hosts},
          {"blind_hosts", evidence.blind_hosts},
          {"exposures", evidence.exposures()},
          {"duplicates", evidence.of_kind("duplicate")},
          {"torn", evidence.of_kind("torn")},
          {"finding_counts", evidence.findings},
          {"rate_upper_bound_95", or_null(decision.upper_bound_95)},
          {"limits",
           {{"min_exposures", options.limits.min_exposures},
            {"min_hosts", options.limits.min_hosts},
            {"max_duplicates", options.limits.max_duplicates},
            {"max_torn", options.limits.max_torn}}}};
}

void print(const Environment& environment, const GateOptions& options, const GateEvidence& evidence,
           const GateDecision& decision) {
  const bool clean = decision.verdict == Verdict::kClean;
  const bool thin = decision.verdict == Verdict::kUnexposed;
  const std::string answer = clean ? "PASS" : thin ? "NOT ENOUGH EVIDENCE" : "REFUSED";
  environment.out << fmt::format("Kernel {}, the last {}: {}\n\n", printable(options.question.kernel),
                                 format_duration(options.question.window),
                                 styled(answer, style_of(decision.verdict), environment.colour));
  if (!evidence.releases.empty()) {
    Table table({{"RELEASE"}, {"HOSTS", true}, {"EXPOSURES", true}});
    for (const GateRelease& row : evidence.releases) {
      table.add({row.release, format_count(row.hosts), format_count(row.exposures)});
    }
    environment.out << table.render(environment.out_columns(), environment.colour) << '\n';
  }
  const auto width = static_cast<std::size_t>(environment.out_columns());
  for (const std::string& reason : decision.reasons) {
    std::string indent = "- ";
    for (const std::string& line : wrap(printable(reason), width > 4 ? width - 2 : 0)) {
      environment.out << indent << line << '\n';
      indent = "  ";
    }
  }
}

}  // namespace

int gate(const Environment& environment, const GateOptions& options) {
  if (options.question.kernel.empty()) {
    throw UsageError("--kernel: give a regular expression for the release, such as '6[.]12[.]94.*'");
  }
  const GateEvidence evidence = gather(Prometheus(options.prometheus, options.token_file), options.question);
  const GateDecision decision = decide(evidence, options.limits);
  if (options.json) {
    environment.out << json_text(document(environment, options, evidence, decision), 2) << '\n';
  } else {
    print(environment, options, evidence, decision);
  }
  return exit_code(decision.verdict);
}

}  // namespace writecanary::cli
